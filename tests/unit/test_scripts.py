"""Each nationality's script: a code of ISO 15924, of a nationality that is known."""

from __future__ import annotations

import re

from sojourn.read.nations import KNOWN
from sojourn.scripts import LATIN, SCRIPTS, script_of


def test_every_nationality_of_the_table_is_one_of_icaos_and_every_script_a_code() -> None:
    assert set(SCRIPTS) <= KNOWN
    assert all(re.fullmatch(r"[A-Z][a-z]{3}", script) for script in SCRIPTS.values())
    assert LATIN not in SCRIPTS.values()


def test_what_the_table_does_not_name_is_latin() -> None:
    assert script_of("DEU") == script_of("XXA") == LATIN
    assert [script_of(n) for n in ("EGY", "CHN", "TWN", "JPN", "UKR", "ETH")] == [
        "Arab", "Hans", "Hant", "Jpan", "Cyrl", "Ethi",
    ]  # fmt: skip
