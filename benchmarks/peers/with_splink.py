"""Splink 4 on plaintext: Jaro-Winkler levels, term frequencies, EM, DuckDB, wide blocking.

``python -m benchmarks.peers.with_splink CROSSINGS PAIRS [--fewer]``, in the peers' environment.
The weight is Splink's match weight, log2 odds.
"""

from __future__ import annotations

import logging
import time

import duckdb
import pandas as pd
import splink.comparison_level_library as cll
import splink.comparison_library as cl
from splink import DuckDBAPI, Linker, SettingsCreator

from benchmarks.peers import clean

LEAST_WEIGHT = -20.0
LEAST_M = 0.002
RANDOM_PAIRS = 500_000
SEED = 1


def _name(column: str, other: str, first: str) -> cl.CustomComparison:
    return cl.CustomComparison(
        output_column_name=column,
        comparison_levels=[
            cll.NullLevel(column),
            cll.ExactMatchLevel(column).configure(tf_adjustment_column=column),
            cll.CustomLevel(f"{first}_l = {first}_r", f"same first word of {column}").configure(
                tf_adjustment_column=first
            ),
            cll.JaroWinklerLevel(column, 0.92),
            cll.CustomLevel(
                f"{column}_l = {other}_r OR {other}_l = {column}_r", f"{column} swapped"
            ),
            cll.CustomLevel(f"{column}_sound_l = {column}_sound_r", f"{column} sounds alike"),
            cll.JaroWinklerLevel(column, 0.80),
            cll.CustomLevel(f"left({column}_l, 1) = left({column}_r, 1)", f"{column} initial"),
            cll.ElseLevel(),
        ],
    )


def _birth_date() -> cl.CustomComparison:
    return cl.CustomComparison(
        output_column_name="birth_date",
        comparison_levels=[
            cll.NullLevel("birth_date"),
            cll.ExactMatchLevel("birth_date").configure(tf_adjustment_column="birth_date"),
            cll.CustomLevel("loose_date_l = loose_date_r", "day and month swapped"),
            cll.DamerauLevenshteinLevel("birth_date", 1),
            cll.CustomLevel("birth_year_l = birth_year_r", "same year"),
            cll.DamerauLevenshteinLevel("birth_date", 2),
            cll.ElseLevel(),
        ],
    )


def _document() -> cl.CustomComparison:
    return cl.CustomComparison(
        output_column_name="document",
        comparison_levels=[
            cll.NullLevel("document"),
            cll.ExactMatchLevel("document"),
            cll.CustomLevel("document_ocr_l = document_ocr_r", "same but for look-alikes"),
            cll.DamerauLevenshteinLevel("document_ocr", 1),
            cll.DamerauLevenshteinLevel("document_ocr", 2),
            cll.ElseLevel(),
        ],
    )


def settings(blocking: list[str]) -> SettingsCreator:
    return SettingsCreator(
        link_type="link_only",
        unique_id_column_name="row",
        comparisons=[
            _name("surname", "given", "surname_first"),
            _name("given", "surname", "given_first"),
            _birth_date(),
            _document(),
            cl.ExactMatch("nationality").configure(term_frequency_adjustments=True),
            cl.ExactMatch("sex"),
        ],
        blocking_rules_to_generate_predictions=blocking,
        retain_intermediate_calculation_columns=False,
        retain_matching_columns=False,
        em_convergence=0.001,
    )


def train(linker: Linker) -> None:
    """No truth: the prior from strict rules, u from random pairs, m by EM under two blockings."""
    in_time = f"r.at > l.at AND r.at - l.at <= {clean.LONGEST_STAY}"
    linker.training.estimate_probability_two_random_records_match(
        [
            f"l.document = r.document AND l.birth_date = r.birth_date AND {in_time}",
            f"l.all_names = r.all_names AND l.birth_date = r.birth_date AND {in_time}",
        ],
        recall=0.9,
    )
    linker.training.estimate_u_using_random_sampling(max_pairs=RANDOM_PAIRS, seed=SEED)
    for rule in (
        f"l.document = r.document AND {in_time}",
        f"l.surname = r.surname AND l.given = r.given AND {in_time}",
    ):
        linker.training.estimate_parameters_using_expectation_maximisation(
            rule, fix_u_probabilities=True
        )
    _lift(linker)


def _lift(linker: Linker) -> None:
    """Raise to LEAST_M what EM takes for impossible among matches, as a careful user would.

    Who leaves on another passport differs in document and nationality at once; EM may take such
    pairs for strangers and then give two nationalities a chance of 1e-12, which loses them all.
    """
    for comparison in linker._settings_obj.comparisons:
        for level in comparison.comparison_levels:
            if not level.is_null_level and (level.m_probability or 0.0) < LEAST_M:
                level.m_probability = LEAST_M


def main() -> None:
    crossings, out, keys = clean.asked()
    logging.getLogger("splink").setLevel(logging.ERROR)
    started = time.perf_counter()
    db = clean.load(crossings)
    linker = Linker(
        ["arrivals", "departures"], settings(clean.rules(keys)), DuckDBAPI(connection=db),
        input_table_aliases=["a_arrivals", "b_departures"], set_up_basic_logging=False,
    )  # fmt: skip
    train(linker)
    found = linker.inference.predict(threshold_match_weight=LEAST_WEIGHT)
    pairs = _pairs(db, found.physical_name)
    clean.report(out, pairs, time.perf_counter() - started, ("splink", "duckdb"))


def _pairs(db: duckdb.DuckDBPyConnection, table: str) -> pd.DataFrame:
    return db.execute(
        "SELECT row_l::INTEGER AS arrival, row_r::INTEGER AS departure, match_weight AS weight_em "
        f"FROM {table}"
    ).df()


if __name__ == "__main__":
    main()
