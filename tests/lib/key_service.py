"""A small key service of its own on a real socket: the protocol that ``cases.key_service`` asks.

Wrapping keys are made, kept and destroyed here and are in no answer. What came in is kept for the
tests to look at: never a key in clear but in the body of 'encrypt'.
"""

from __future__ import annotations

import json
import secrets
import ssl
import time
from base64 import b64decode, b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

MOUNT = "/v1/transit/"
TOKEN = "a-token-for-tests"
Answer = tuple[int, dict[str, Any]]


@dataclass
class Vault:
    """``status``: what it answers to everything, 0 for what is right. ``wait``: seconds before it
    answers. ``drips``: it then sends a byte each tenth of a second."""

    keys: dict[str, bytes] = field(default_factory=dict)
    deletable: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)
    status: int = 0
    wait: float = 0.0
    drips: bool = False
    url: str = ""
    token: str = TOKEN

    def answer(self, method: str, path: str, token: str, body: dict[str, Any]) -> Answer:
        self.asked.append(f"{method} {path}")
        time.sleep(self.wait)
        if self.status:
            return self.status, {"errors": ["as the test wants it"]}
        if token != self.token:
            return 403, {"errors": ["permission denied"]}
        if not path.startswith(MOUNT):
            return 404, {"errors": ["no handler for route"]}
        what, _, name = path.removeprefix(MOUNT).partition("/")
        if what == "keys?list=true":
            return (200, {"data": {"keys": sorted(self.keys)}}) if self.keys else (404, {})
        if what == "keys":
            return self._of_keys(method, name, body)
        if name not in self.keys:
            return 400, {"errors": ["encryption key not found"]}
        return self._seal(name, body) if what == "encrypt" else self._open(name, body)

    def _of_keys(self, method: str, name: str, body: dict[str, Any]) -> Answer:
        name, _, config = name.partition("/")
        if method == "POST" and not config:
            self.keys.setdefault(name, secrets.token_bytes(32))
            return 200, {"data": {"name": name}}
        if name not in self.keys:
            return 404, {"errors": []}
        if config and body.get("deletion_allowed"):
            self.deletable.add(name)
            return 204, {}
        if method == "DELETE":
            if name not in self.deletable:
                return 400, {"errors": ["deletion is not allowed for this key"]}
            del self.keys[name]
            return 204, {}
        return 200, {"data": {"name": name, "exportable": False}}

    def _seal(self, name: str, body: dict[str, Any]) -> Answer:
        nonce = secrets.token_bytes(12)
        sealed = AESGCM(self.keys[name]).encrypt(nonce, b64decode(body["plaintext"]), None)
        return 200, {"data": {"ciphertext": "vault:v1:" + b64encode(nonce + sealed).decode()}}

    def _open(self, name: str, body: dict[str, Any]) -> Answer:
        try:
            sealed = b64decode(str(body["ciphertext"]).removeprefix("vault:v1:"))
            plain = AESGCM(self.keys[name]).decrypt(sealed[:12], sealed[12:], None)
        except (InvalidTag, ValueError):
            return 400, {"errors": ["invalid ciphertext"]}
        return 200, {"data": {"plaintext": b64encode(plain).decode()}}


@contextmanager
def serve_keys(certificate: tuple[Path, Path] | None = None) -> Iterator[Vault]:
    """``certificate``: files of it and of its key, for HTTPS."""
    vault = Vault()

    class Door(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else {}
            token = self.headers.get("X-Vault-Token", "")
            status, found = vault.answer(self.command, self.path, token, body)
            sent = json.dumps(found).encode() if found else b""
            try:
                self.send_response(status)
                self.send_header("Content-Length", str(len(sent)))
                self.end_headers()
                for part in [sent[i : i + 1] for i in range(len(sent))] if vault.drips else [sent]:
                    self.wfile.write(part)
                    if vault.drips:
                        time.sleep(0.1)
            except OSError:  # whoever asked had enough of waiting
                self.close_connection = True

        do_GET = do_POST = do_DELETE = _serve  # noqa: N815  as the library calls them

        def log_message(self, format: str, *args: object) -> None:
            """Nothing: a test reads what was asked."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    server.daemon_threads = True
    scheme = "http"
    if certificate is not None:
        scheme, context = "https", ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    vault.url = f"{scheme}://127.0.0.1:{server.server_address[1]}{MOUNT.rstrip('/')}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield vault
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=5)
