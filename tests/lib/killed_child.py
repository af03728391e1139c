"""A child process that loads a file in small parts, to be killed at any moment.

Arguments: home, statistics address, file, rows a part. Its clock stands still, so that runs can
be compared.
"""

from __future__ import annotations

import sys
from pathlib import Path

from lib.offices import small_office
from sojourn.pipeline import loading


def main() -> None:
    home, url, file, rows = sys.argv[1:]
    loading.PART_ROWS = int(rows)
    loading.load_files(small_office(Path(home), url), [Path(file)])


if __name__ == "__main__":
    main()
