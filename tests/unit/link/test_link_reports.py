"""Records as columns of numbers: the lean door, the table's door and the order say the same."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from lib.plain_linking import DAY, START, Report, encodings, keys_of
from sojourn.errors import LinkageError
from sojourn.link import LiveLinker, load_weights
from sojourn.link import Report as Record
from sojourn.link.reports import Reports, Vocabulary, Words
from sojourn.policy import load_policy

POLICY = load_policy()
TABLE = load_weights()
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def micros(at: datetime) -> int:
    return (at - EPOCH) // timedelta(microseconds=1)


def as_record(report: Report) -> Record:
    return Record(
        report.ref, report.source, report.direction, report.evidence, micros(report.time),
        micros(report.recorded or report.time), report.nationality, report.sex,
        report.admission_class, np.array([k for _, k in report.keys], np.uint64),
        np.array([k for k, _ in report.keys], np.uint8),
    )  # fmt: skip


REPORTS = [
    Report(bytes([9] * 16), START + DAY, keys=keys_of(1, document=1), sex="F", nationality="UTO"),
    Report(bytes([7] * 16), START, "departure", "carrier", "boarded", keys_of(2, bit=0x80)),
    Report(
        bytes([8] * 16), START + timedelta(microseconds=1), source="agent", evidence="booked",
        sex="M", admission_class="visitor", recorded=START + DAY,
    ),
    Report(bytes([6] * 16), START, keys=keys_of(3, names=1), nationality="XXK", sex="F"),
]  # fmt: skip


def same(one: Reports, other: Reports) -> None:
    for column in fields(Reports):
        a, b = getattr(one, column.name), getattr(other, column.name)
        assert a.dtype == b.dtype, column.name
        assert a.tolist() == b.tolist(), column.name
        assert a.flags.writeable, "read-only arrays would be compiled for anew"
        assert b.flags.writeable, "read-only arrays would be compiled for anew"


@pytest.mark.parametrize("count", [1, 4])
def test_records_one_by_one_give_the_columns_that_a_table_gives(count: int) -> None:
    words = Words(TABLE)
    for start in range(0, len(REPORTS), count):
        some = REPORTS[start : start + count]
        same(words.report([as_record(r) for r in some]), words.read(encodings(some)))


def test_one_row_at_a_time_gives_what_all_rows_at_once_give() -> None:
    words = Words(TABLE)
    whole = words.read(encodings(REPORTS))
    for number, report in enumerate(REPORTS):
        one = words.read(encodings([report]))
        for name in ("ref_high", "ref_low", "direction", "evidence", "time", "recorded", "source",
                     "nationality", "sex", "curve"):  # fmt: skip
            assert getattr(one, name)[0] == getattr(whole, name)[number], name
        first, last = whole.offsets[number], whole.offsets[number + 1]
        assert one.keys.tolist() == whole.keys[first:last].tolist()


def test_columns_are_ordered_by_time_and_reference_with_their_keys() -> None:
    words = Words(TABLE)
    by_time = sorted(REPORTS, key=lambda r: (r.time, r.ref))
    same(words.read(encodings(REPORTS)).in_order(), words.read(encodings(by_time)))


def test_the_lean_door_decides_what_the_table_door_decides() -> None:
    came = [Report(bytes([n] * 16), START + n * DAY, keys=keys_of(n, document=n)) for n in range(9)]
    left = [
        replace(r, ref=bytes([50 + n] * 16), time=r.time + 5 * DAY, direction="departure")
        for n, r in enumerate(came)
    ]
    by_table, lean = (LiveLinker(TABLE, POLICY.linkage, POLICY.digest) for _ in range(2))
    for batch in (came, *([r] for r in left)):
        decision = by_table.decide(encodings(batch))
        answer = lean.answer(lean.index.words.report([as_record(r) for r in batch]))
        written = lean.written(answer)
        assert written.linked.links.equals(decision.linked.links)
        assert written.linked.merges.equals(decision.linked.merges)
        by_table.settle(decision)
        lean.settle(answer)
    assert lean.index.open_stays() == by_table.index.open_stays() == 0


def test_closed_crossings_go_to_the_microsecond_and_reopened_ones_stay() -> None:
    linker = LiveLinker(TABLE, POLICY.linkage, POLICY.digest)
    came = [Report(bytes([n] * 16), START + n * DAY, keys=keys_of(n, document=n)) for n in range(3)]
    left = [
        replace(r, ref=bytes([50 + n] * 16), time=r.time + timedelta(hours=30, minutes=20),
                direction="departure")
        for n, r in enumerate(came)
    ]  # fmt: skip
    linker.settle(linker.decide(encodings(came)))
    linker.settle(linker.decide(encodings(left)))
    assert linker.index.open_stays() == 0
    kept = timedelta(days=POLICY.linkage.merge_retention_days)
    assert linker.reopen(pl.Series([came[0].ref])).tolist() == [True]
    last = max(r.time for r in left)
    assert linker.forget_closed(last + kept) == 4, "not the reopened one, not the last one"
    assert linker.forget_closed(last + kept) == 0
    assert linker.forget_closed(last + kept + timedelta(microseconds=1)) == 1
    assert linker.forget_closed(last + 10 * kept) == 0
    assert (linker.index.reports, linker.index.open_stays()) == (1, 1)


def test_more_words_than_there_are_numbers_for_are_refused_without_saying_them() -> None:
    vocabulary = Vocabulary("nationality", 2)
    assert [vocabulary.code(w) for w in ("UTO", "XXK", "UTO", None)] == [1, 2, 1, 0]
    with pytest.raises(LinkageError, match=r"^nationality: more than 2 different values$"):
        vocabulary.code("ZZZ")
