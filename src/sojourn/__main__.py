"""The command line's door: the only place that exits. Errors become a line and an exit code."""

from __future__ import annotations

import sys

from rich.console import Console

from sojourn.cli import build_app
from sojourn.errors import SetupError, SojournError


def main() -> None:
    """Run ``sojourn``; exit with the code of the error tree (sojourn.errors).

    A path that cannot be used (no such folder, no permission, disk full) is told as SetupError.
    """
    try:
        build_app()()
    except SojournError as error:
        Console(stderr=True, highlight=False).print(f"sojourn: {error}", style="red", markup=False)
        sys.exit(error.exit_code)
    except OSError as error:
        if error.filename is None or error.strerror is None:
            raise
        said = f"sojourn: {error.filename}: {error.strerror}; see that the path is right and yours"
        Console(stderr=True, highlight=False).print(said, style="red", markup=False)
        sys.exit(SetupError.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
