"""Feeds hand files over by HTTP: tokens, idempotency, and answers that tell no outcome."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from django.contrib.auth.models import AbstractBaseUser
from django.http import HttpResponse
from django.test import Client
from django.urls import get_resolver
from pytest_django.fixtures import Settings

from sojourn.pipeline.edge_files import meant_as_decoys
from sojourn_web.runs.models import FeedToken
from sojourn_web.runs.tokens import SourceNameError, make_token

pytestmark = pytest.mark.django_db
FILE = b"crossing_id,direction\n1,arrival\n"


def post(
    client: Client, token: str, source: str = "carrier-xa", data: bytes = FILE, key: str = "k1",
    query: str = "",
) -> HttpResponse:  # fmt: skip
    return client.post(  # type: ignore[return-value]
        f"/ingest/{source}/files{query}", data=data, content_type="application/octet-stream",
        headers={"Authorization": f"Bearer {token}", "Idempotency-Key": key},
    )  # fmt: skip


def landed(inbox: Path, source: str = "carrier-xa") -> list[bytes]:
    folder = inbox / source
    return [p.read_bytes() for p in folder.iterdir()] if folder.exists() else []


def test_a_file_lands_in_the_inbox_and_the_answer_is_its_digest(
    client: Client, inbox: Path
) -> None:
    answer = post(client, make_token("carrier-xa", None), query="?ending=csv")
    assert answer.status_code == 202
    assert answer.json() == {"digest": hashlib.sha256(FILE).hexdigest()}  # type: ignore[attr-defined]
    assert landed(inbox) == [FILE]
    (file,) = (inbox / "carrier-xa").iterdir()
    assert file.suffix == ".csv"
    assert file.stat().st_mode & 0o077 == 0


def test_decoys_of_an_edge_keep_the_ending_that_says_so(client: Client, inbox: Path) -> None:
    answer = post(client, make_token("carrier-xa", None), query="?ending=decoys.parquet")
    assert answer.status_code == 202
    (file,) = (inbox / "carrier-xa").iterdir()
    assert meant_as_decoys(file)


def test_the_answer_is_the_same_whatever_is_in_the_file(client: Client, inbox: Path) -> None:
    token = make_token("carrier-xa", None)
    for number, data in enumerate((FILE, b"nonsense", b"", b"\x00" * 5000)):
        answer = post(client, token, data=data, key=f"k{number}")
        assert answer.status_code == 202
        assert set(answer.json()) == {"digest"}  # type: ignore[attr-defined]


def test_the_same_key_is_taken_once_and_another_file_under_it_is_refused(
    client: Client, inbox: Path
) -> None:
    token = make_token("carrier-xa", None)
    first, again = post(client, token), post(client, token)
    assert (first.status_code, again.status_code) == (202, 202)
    assert first.content == again.content
    for path in (inbox / "carrier-xa").iterdir():
        path.unlink()  # the watcher took it in
    assert post(client, token).status_code == 202
    assert landed(inbox) == [], "what was handed over is not handed over again"
    assert post(client, token, data=b"other").status_code == 409
    assert landed(inbox) == []


def test_unknown_revoked_and_foreign_tokens_are_refused(client: Client, inbox: Path) -> None:
    token = make_token("carrier-xa", None)
    assert post(client, "nonsense").status_code == 401
    assert post(client, token, source="carrier-xb").status_code == 403
    FeedToken.objects.update(revoked_at="2026-01-01T00:00:00Z")
    assert post(client, token).status_code == 401
    assert client.post("/ingest/carrier-xa/files", FILE, "text/csv").status_code == 401
    assert landed(inbox) == []


def test_a_key_is_asked_for_and_an_ending_must_be_known(client: Client, inbox: Path) -> None:
    token = make_token("carrier-xa", None)
    bare = client.post(
        "/ingest/carrier-xa/files", FILE, "text/csv", headers={"Authorization": f"Bearer {token}"}
    )
    assert bare.status_code == 422
    assert post(client, token, query="?ending=../../etc").status_code == 400
    assert post(client, token, key="x" * 300).status_code == 400
    assert landed(inbox) == []


def test_a_file_beyond_the_limit_leaves_nothing_behind(
    client: Client, inbox: Path, settings: Settings
) -> None:
    settings.INGEST_MAX_BYTES = 10
    assert post(client, make_token("carrier-xa", None)).status_code == 413
    assert landed(inbox) == []


@pytest.mark.django_db(databases=["default", "cases"])
def test_a_token_can_read_nothing(client: Client, inbox: Path, no_statistics: None) -> None:
    token = make_token("carrier-xa", None)
    headers = {"Authorization": f"Bearer {token}"}
    assert b"Nothing has been released yet" in client.get("/", headers=headers).content
    addresses = ["/measures", "/sources", "/how-sure", "/live/events", "/live/cells",
                 "/estimates", "/live/estimates", "/runs/", "/runs/rejects", "/runs/feeds",
                 "/runs/release", "/runs/release/announce", "/runs/release/1/approve",
                 "/ingest/carrier-xa/files", "/cases/", "/cases/log",
                 "/cases/K7WX-2MDQ/", "/api/cases/v1/counts",
                 "/api/cases/v1/cases/K7WX-2MDQ"]  # fmt: skip
    for address in addresses:
        assert client.get(address, headers=headers).status_code in (302, 401, 403, 405)
    ours = [p for p in get_resolver().url_patterns if "accounts" not in str(p.pattern)]
    assert len(ours) == 20, "a new address? Say above that a token cannot read it"


@pytest.mark.parametrize("name", ["", "..", "../x", ".hidden", "a/b", "x" * 61, "a b", "-x\n"])
def test_a_source_that_could_not_be_a_folder_gets_no_token(name: str) -> None:
    with pytest.raises(SourceNameError, match="expected"):
        make_token(name, None)


def test_an_operator_makes_a_token_sees_it_once_and_revokes_it(
    client: Client, operator: AbstractBaseUser, inbox: Path
) -> None:
    client.force_login(operator, backend="sojourn_web.accounts.backends.OfficeBackend")
    page = client.post("/runs/feeds", {"source": "booths-north"}).content.decode()
    token = page.split('class="sj-token">')[1].split("<")[0]
    assert post(client, token, source="booths-north").status_code == 202
    assert token not in client.get("/runs/feeds").content.decode()
    assert not FeedToken.objects.filter(digest=token).exists()
    held = FeedToken.objects.get()
    client.post(f"/runs/feeds/{held.pk}/revoke")
    assert post(client, token, source="booths-north", key="k2").status_code == 401
    assert client.post("/runs/feeds", {"source": "../x"}).status_code == 400
