"""What every peer is given: the crossings' identity, cleaned, and keys to block on.

In: a file of CROSSINGS. Out: two DuckDB tables, ``arrivals`` and ``departures``, with one row per
crossing; ``row`` is its position in the file, ``at`` its event time in seconds. Runs in the peers'
environment.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

import duckdb
import jellyfish
import pandas as pd

from benchmarks.peers.kinds import CAPPED, DEPARTURE_KEYS, FEWER, KEYS
from benchmarks.peers.memory import peak_gib

DAY = 86_400
LONGEST_STAY = 1_100 * DAY
MOST_PER_BLOCK = 200  # a wide key shared by more arrivals than this blocks nobody

_CLEAN = """
CREATE TABLE cleaned AS
WITH read AS (
  SELECT file_row_number AS row, direction::VARCHAR AS direction, epoch(event_time) AS at,
    nullif(trim(regexp_replace(upper(strip_accents(surname)), '[^A-Z]+', ' ', 'g')), '') surname,
    nullif(trim(regexp_replace(upper(strip_accents(given_names)), '[^A-Z]+', ' ', 'g')), '') given,
    sex::VARCHAR AS sex, nationality,
    CASE WHEN birth_date LIKE '%-00%' OR length(birth_date) <> 10 THEN NULL
         ELSE birth_date END AS birth_date,
    nullif(left(birth_date, 4), '0000') AS birth_year,
    nullif(regexp_replace(upper(document_number), '[^A-Z0-9]', '', 'g'), '') AS document
  FROM read_parquet(?, file_row_number = true)
  WHERE evidence::VARCHAR = 'crossed' AND NOT withdrawn
)
SELECT *, translate(document, 'OQILSBZG', '00115826') AS document_ocr,
  array_to_string(list_sort(string_split(concat_ws(' ', surname, given), ' ')), ' ') AS all_names,
  split_part(surname, ' ', 1) AS surname_first, split_part(given, ' ', 1) AS given_first,
  birth_year || '|' || least(substr(birth_date, 6, 2), substr(birth_date, 9, 2)) || '|'
    || greatest(substr(birth_date, 6, 2), substr(birth_date, 9, 2)) AS loose_date
FROM read
"""


def load(path: Path) -> duckdb.DuckDBPyConnection:
    """A database in memory with ``arrivals`` and ``departures``."""
    db = duckdb.connect()
    db.execute("SET preserve_insertion_order = false")
    db.execute(_CLEAN, [str(path)])
    _add_sounds(db)
    columns = "c.*, s.sound AS surname_sound, g.sound AS given_sound"
    for table, direction in (("arrivals", "arrival"), ("departures", "departure")):
        keys = {**KEYS, **(DEPARTURE_KEYS if direction == "departure" else {})}
        made = ", ".join(f"{expression} AS {name}" for name, expression in keys.items())
        db.execute(
            f"CREATE TABLE {table} AS SELECT *, {made} FROM (SELECT {columns} FROM cleaned c "
            "LEFT JOIN sounds s ON c.surname_first = s.name "
            "LEFT JOIN sounds g ON c.given_first = g.name "
            f"WHERE direction = '{direction}') ORDER BY row"
        )
    for key in sorted(CAPPED):
        _cap(db, key)
    db.execute("DROP TABLE cleaned")
    return db


def _add_sounds(db: duckdb.DuckDBPyConnection) -> None:
    """Soundex of each name that occurs, computed once a name."""
    found = db.execute(
        "SELECT DISTINCT unnest([surname_first, given_first]) AS name FROM cleaned"
    ).df()
    found = found[found["name"].notna() & (found["name"] != "")]
    found["sound"] = [jellyfish.soundex(name) for name in found["name"]]
    db.execute("CREATE TABLE sounds AS SELECT * FROM found")


def _cap(db: duckdb.DuckDBPyConnection, key: str) -> None:
    db.execute(
        f"UPDATE arrivals SET {key} = NULL WHERE {key} IN (SELECT {key} FROM arrivals "
        f"WHERE {key} IS NOT NULL GROUP BY 1 HAVING count(*) > {MOST_PER_BLOCK})"
    )


def rules(keys: Iterable[str] = tuple(KEYS)) -> list[str]:
    """Blocking as SQL conditions on ``l`` (arrivals) and ``r`` (departures); wide by default."""
    in_time = f"r.at > l.at AND r.at - l.at <= {LONGEST_STAY}"
    return [f"l.{key} = r.{key} AND {in_time}" for key in keys]


def report(out: Path, pairs: pd.DataFrame, seconds: float, packages: tuple[str, ...]) -> None:
    """Write ``arrival``, ``departure`` (rows of the file) and weights; tell the rest as JSON."""
    duckdb.connect().execute("COPY (SELECT * FROM pairs) TO '" + str(out) + "' (FORMAT parquet)")
    told = {
        "seconds": seconds,
        "peak_gib": peak_gib(),
        "versions": {p: metadata.version(p) for p in packages},
    }
    sys.stdout.write(json.dumps(told) + "\n")


def asked() -> tuple[Path, Path, tuple[str, ...]]:
    """The crossings' file, where the pairs go, and the kinds of key to block on (``--fewer``)."""
    return Path(sys.argv[1]), Path(sys.argv[2]), FEWER if "--fewer" in sys.argv else tuple(KEYS)
