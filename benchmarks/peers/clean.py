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

DAY = 86_400
LONGEST_STAY = 1_100 * DAY
MOST_PER_BLOCK = 200  # a wide key shared by more arrivals than this blocks nobody
KEYS = {
    "k_document": "document",
    "k_document_ocr": "document_ocr",
    "k_date_surname_sound": "birth_date || '|' || surname_sound",
    "k_date_given": "birth_date || '|' || left(given, 3)",
    "k_date_surname": "birth_date || '|' || left(surname, 3)",
    "k_names": "all_names",
    "k_date_nationality_sex": "birth_date || '|' || nationality || '|' || sex",
    "k_year_sound_initial": "birth_year || '|' || surname_sound || '|' || left(given, 1)",
    "k_year_given_initial": "birth_year || '|' || given_sound || '|' || left(surname, 1)",
    "k_days_initials": "loose_date || '|' || left(surname, 1) || '|' || left(given, 1)",
    "k_day_names": "right(birth_date, 5) || '|' || surname_sound || '|' || left(given, 1)",
    "k_surname_nationality_given": "surname_sound || '|' || given_sound || '|' || nationality",
    "k_document_head": "left(document_ocr, 6)",
    "k_document_tail": "right(document_ocr, 6)",
    "k_date_names_swapped": "birth_date || '|' || left(surname, 3)",
    "k_sounds_swapped": "birth_year || '|' || surname_sound || '|' || given_sound",
    "k_date_initial": "birth_date || '|' || left(surname, 1)",
}
# Where the departure's key is another expression than the arrival's: names entered swapped.
DEPARTURE_KEYS = {
    "k_date_names_swapped": "birth_date || '|' || left(given, 3)",
    "k_sounds_swapped": "birth_year || '|' || given_sound || '|' || surname_sound",
}
CAPPED = {
    "k_names", "k_date_nationality_sex", "k_year_sound_initial", "k_year_given_initial",
    "k_days_initials", "k_day_names", "k_surname_nationality_given",
    "k_document_head", "k_document_tail", "k_date_initial",
}  # fmt: skip
# Without the kinds that find next to nothing new: fewer strangers, and less work.
FEWER = (
    "k_document_ocr", "k_date_surname_sound", "k_date_given", "k_names", "k_date_nationality_sex",
    "k_year_sound_initial", "k_day_names", "k_date_names_swapped",
)  # fmt: skip

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
    told = {"seconds": seconds, "versions": {p: metadata.version(p) for p in packages}}
    sys.stdout.write(json.dumps(told) + "\n")


def asked() -> tuple[Path, Path, tuple[str, ...]]:
    """The crossings' file, where the pairs go, and the kinds of key to block on (``--fewer``)."""
    return Path(sys.argv[1]), Path(sys.argv[2]), FEWER if "--fewer" in sys.argv else tuple(KEYS)
