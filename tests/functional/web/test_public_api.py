"""The public API and downloads: filters, pages, ETags, problems that say what was expected."""

from __future__ import annotations

import json
import zipfile
from datetime import date
from io import BytesIO
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import StreamingHttpResponse
from django.test import Client
from pytest_django.fixtures import Settings
from sqlalchemy import create_engine, text

from lib.published import Country, all_figures, fill, put_estimates
from sojourn.release.nodes import write_figures
from sojourn_web.figures import public_marks
from sojourn_web.figures.public_caching import answers
from sojourn_web.figures.public_files import KINDS

pytestmark = pytest.mark.django_db
ONE = "/api/v1/figures/total/month/2026-10-01/departed/all/all/all"


def ask(client: Client, address: str, status: int = 200) -> Any:
    answer = client.get(address)
    assert answer.status_code == status, answer.content
    return json.loads(answer.content)


def test_a_figure_is_what_was_stored_and_may_be_kept_for_ever(
    client: Client, published: Country
) -> None:
    found = ask(client, f"{ONE}?vintage=2026-10-31")
    (stored,) = (
        all_figures(settings.STATISTICS_URL)
        .filter(
            (pl.col("release_table") == "total") & (pl.col("span") == "month")
            & (pl.col("period").cast(pl.String) == "2026-10-01")
            & (pl.col("quantity") == "departed")
            & (pl.col("vintage").cast(pl.String) == "2026-10-31")
        )
        .iter_rows(named=True)
    )  # fmt: skip
    assert {n: found[n] for n in ("value", "lower", "upper", "noise_sd", "epsilon")} == {
        n: stored[n] for n in ("value", "lower", "upper", "noise_sd", "epsilon")
    }
    first = client.get(f"{ONE}?vintage=2026-10-31")
    assert first["Cache-Control"] == "public, max-age=31536000, immutable"
    assert first["Access-Control-Allow-Origin"] == "*"
    assert "Set-Cookie" not in first
    assert "Cookie" not in first.get("Vary", "")
    for held in (first["ETag"], f'W/{first["ETag"]}, "other"', "*", " * "):
        again = client.get(f"{ONE}?vintage=2026-10-31", headers={"If-None-Match": held})
        assert again.status_code == 304
        assert again.content == b""
        assert again["ETag"] == first["ETag"]
    for held in ('"another"', '"a*b"', '"a", *'):
        other = client.get(f"{ONE}?vintage=2026-10-31", headers={"If-None-Match": held})
        assert other.status_code == 200


def test_who_brings_the_tag_back_is_answered_before_the_database_is_asked(
    client: Client, published: Country
) -> None:
    """Also by a server that never gave the answer; a tag of another address is worth nothing."""
    fixed = [f"{ONE}?vintage=2026-10-31", "/api/v1/figures?vintage=2026-10-31&limit=2"]
    tags = [client.get(address)["ETag"] for address in fixed]
    engine = create_engine(settings.STATISTICS_URL)
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE figure_nodes RENAME TO elsewhere"))
    answers.clear()
    for address, tag in zip(fixed, tags, strict=True):
        again = client.get(address, headers={"If-None-Match": tag})
        assert (again.status_code, again["ETag"], again.content) == (304, tag, b"")
        other = address.replace("2026-10-31", "2026-09-30")
        assert client.get(other, headers={"If-None-Match": tag}).status_code != 304
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE elsewhere RENAME TO figure_nodes"))
    engine.dispose()
    # What is not there has no tag, whatever somebody says.
    gone = ONE.replace("departed", "gone") + "?vintage=2026-10-31"
    assert client.get(gone, headers={"If-None-Match": "*"}).status_code == 404


def tag_of(client: Client, address: str) -> str:
    answer = client.get(address)
    answer.close()
    return answer["ETag"]


def replace(url: str, country: Country) -> None:
    """The database as another one: the same names, days and moments of release; other draws."""
    engine = create_engine(url)
    with engine.begin() as connection:
        for name in ("figure_nodes", "cell_lists", "releases", "spends"):
            connection.execute(text(f"DELETE FROM {name}"))
    engine.dispose()
    fill(url, country)


def test_after_the_database_was_replaced_nothing_old_is_told_as_current(
    client: Client, published: Country, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(public_marks, "FRESH", 0.0)
    asked = (
        f"{ONE}?vintage=2026-10-31", "/api/v1/figures?vintage=2026-10-31&limit=2",
        "/figures/downloads/2026-10-31/figures.sdmx.csv", "/api/v1/figures?limit=2",
    )  # fmt: skip
    before = {a: tag_of(client, a) for a in asked}
    for address, tag in before.items():
        assert client.get(address, headers={"If-None-Match": tag}).status_code == 304
    replace(settings.STATISTICS_URL, Country(seed=2))
    for address, tag in before.items():
        again = client.get(address, headers={"If-None-Match": tag})
        assert again.status_code == 200, address
        assert again["ETag"] != tag
        again.close()
    found = ask(client, asked[0])
    (stored,) = all_figures(settings.STATISTICS_URL).filter(
        release_table="total", span="month", quantity="departed",
        period=date(2026, 10, 1), vintage=date(2026, 10, 31),
    ).iter_rows(named=True)  # fmt: skip
    assert found["value"] == stored["value"]
    # And the first database's are as they were, once it is back.
    replace(settings.STATISTICS_URL, published)
    for address, tag in before.items():
        assert client.get(address, headers={"If-None-Match": tag}).status_code == 304


FIRST = date(2025, 1, 1)


def add_release(url: str, country: Country, **changed: Any) -> None:
    """One more, of the newest figures; and its months again with these columns changed."""
    later = all_figures(url).filter(vintage=country.vintages[-1])
    later = later.with_columns(vintage=date(2026, 12, 1), release_id=pl.lit("later"))
    again = later.filter(release_table="nationality_mode_class", admission_class="VISIT")
    again = again.filter(period=date(2026, 10, 1)).with_columns(
        pl.lit(value).alias(name) for name, value in changed.items()
    )
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text(
            "INSERT INTO releases SELECT 'later', released_at + 1000000, '2026-12-01', "
            "policy_digest, method, epsilon, asked_by, approved_by, note, run FROM releases "
            "WHERE vintage = '2026-11-24'"
        ))  # fmt: skip
        write_figures(connection, pl.concat([later, again]))
    engine.dispose()


def test_marks_hang_on_noise_not_on_reasons(published: Country) -> None:
    """Estimates sort first: of a month that cannot be told all databases say the same."""
    url, seen = settings.STATISTICS_URL, []
    for seed in (2, 3):
        replace(url, Country(seed=seed))
        put_estimates(url, published, told=False)
        engine = create_engine(url)
        with engine.connect() as connection:
            seen += public_marks.read_marks(connection).values()
        engine.dispose()
    assert len(set(seen)) == 2 * len(published.vintages)


def test_files_of_a_vintage_are_the_same_whatever_was_released_later(
    client: Client, published: Country, tmp_path: Path, settings: Settings
) -> None:
    """One machine makes them before a release, another after it; both say 'immutable'."""

    def files(folder: str) -> list[bytes]:
        settings.DOWNLOADS = tmp_path / folder
        found = (client.get(f"/figures/downloads/2026-10-31/{kind.name}") for kind in KINDS)
        return [b"".join(answer.streaming_content) for answer in found]  # type: ignore[attr-defined]

    before = files("one")
    add_release(settings.STATISTICS_URL, published, admission_class="CREW", release_table="new")
    assert files("two") == before
    assert b"CREW" in b"".join(
        client.get("/figures/downloads/2026-12-01/structures.sdmx.json").streaming_content  # type: ignore[attr-defined]
    )


def test_files_that_another_process_is_making_are_let_be(
    client: Client, published: Country
) -> None:
    at = "/figures/downloads/2026-10-31/"
    client.get(f"{at}figures.sdmx.csv").close()
    (made,) = settings.DOWNLOADS.rglob("*figures.sdmx.csv")
    theirs = made.parent / ".structures.sdmx.json.part"
    theirs.write_text("half")
    client.get(f"{at}structures.sdmx.json").close()
    assert theirs.read_text() == "half"
    assert len(list(made.parent.glob("*.part"))) == 1


def test_a_later_release_leaves_older_answers_and_tags_as_they_were(
    client: Client, published: Country, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(public_marks, "FRESH", 0.0)
    address = f"{ONE}?vintage=2026-10-31"
    tag = tag_of(client, address)
    engine = create_engine(settings.STATISTICS_URL)
    with engine.connect() as connection:
        before = public_marks.read_marks(connection)
    # Among it a table that sorts before all others, of a month before all others.
    add_release(settings.STATISTICS_URL, published, release_table="a_table", period=FIRST)
    with engine.connect() as connection:
        after = public_marks.read_marks(connection)
    engine.dispose()
    assert before.items() < after.items()
    assert len(set(after.values())) == len(published.vintages) + 1
    assert client.get(address, headers={"If-None-Match": tag}).status_code == 304
    assert ask(client, ONE)["vintage"] == "2026-12-01"


def test_a_figure_needs_no_session_and_has_the_security_headers_all_the_same(
    client: Client,
    published: Country,
    analyst: AbstractBaseUser,
    django_assert_num_queries: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client.force_login(analyst)
    for address, status in ((f"{ONE}?vintage=2026-10-31", 200), (ONE, 200)):
        with django_assert_num_queries(0):
            answer = client.get(address)
        assert answer.status_code == status
        for header in ("Content-Security-Policy", "X-Content-Type-Options", "X-Frame-Options"):
            assert header in answer, (address, header)
        assert answer["Content-Length"] == str(len(answer.content))
    other = client.get(f"{ONE}?vintage=2026-10-31", headers={"Host": "elsewhere.example"})
    assert other.status_code == 400

    def unwanted(*_: object) -> None:
        raise AssertionError("a session was looked at")

    answers.clear()
    monkeypatch.setattr(SessionMiddleware, "process_request", unwanted)
    assert client.get(f"{ONE}?vintage=2026-10-31").status_code == 200
    with pytest.raises(AssertionError, match="a session"):
        client.get(ONE)


def test_an_address_with_an_empty_part_is_no_figures(client: Client, published: Country) -> None:
    answer = client.get(ONE.replace("all/all/all", "all//all") + "?vintage=2026-10-31")
    assert answer.status_code == 404
    assert "immutable" not in answer.get("Cache-Control", "")


@pytest.mark.parametrize(
    "address",
    [
        f"{ONE}?vintage=2026-10-31", ONE, "/api/v1/figures?limit=2", "/api/v1/releases",
        "/api/v1/codes",
    ],
)  # fmt: skip
def test_a_head_says_what_a_get_would(address: str, client: Client, published: Country) -> None:
    answers.clear()
    head = client.head(address)
    assert (head.status_code, head.content) == (200, b"")
    again = client.get(address)
    for name in ("ETag", "Cache-Control", "Content-Type", "Content-Length"):
        assert head.get(name) == again.get(name), name


def test_a_vintage_that_a_release_may_still_add_to_is_kept_for_a_minute(
    client: Client, published: Country
) -> None:
    """A cell key's release is of the day it was made on; noise for that day comes later."""
    engine = create_engine(settings.STATISTICS_URL)
    with engine.begin() as connection:
        connection.execute(text(
            "INSERT INTO releases SELECT 'cell_key-x', released_at + 1000000, '2026-11-25', "
            "policy_digest, 'cell_key', 0, asked_by, approved_by, note, run FROM releases "
            "WHERE vintage = '2026-11-24'"
        ))  # fmt: skip
    engine.dispose()
    for address in ("/api/v1/figures?vintage={}", "/figures/downloads/{}/structures.sdmx.json"):
        for day, kept in (("2026-11-25", "max-age=60"), ("2026-11-24", "immutable")):
            answer = client.get(address.format(day))
            assert kept in answer["Cache-Control"]
            answer.close()


def test_without_a_vintage_it_is_the_newest_and_for_a_minute(
    client: Client, published: Country
) -> None:
    answer = client.get(ONE)
    assert json.loads(answer.content)["vintage"] == str(published.vintages[-1])
    assert answer["Cache-Control"] == "public, max-age=60"
    page = client.get(json.loads(answer.content)["page"])
    assert page.status_code == 200


def test_pages_give_every_figure_once(client: Client, published: Country) -> None:
    seen: list[dict[str, Any]] = []
    address = "/api/v1/figures?limit=700"
    while address:
        found = ask(client, address)
        seen += found["items"]
        address = found["next"]
    newest = all_figures(settings.STATISTICS_URL)
    newest = newest.filter(newest["vintage"] == published.vintages[-1])
    assert len(seen) == found["count"] == newest.height
    assert len({json.dumps(s, sort_keys=True) for s in seen}) == len(seen)
    assert sum(s["value"] for s in seen) == pytest.approx(newest["value"].sum())


def test_filters_narrow_and_all_is_the_total(client: Client, published: Country) -> None:
    query = "release_table=nationality&span=month&period=2026-09-01&quantity=departed"
    found = ask(client, f"/api/v1/figures?{query}")
    assert found["count"] == len(published.nationalities)
    assert ask(client, f"/api/v1/figures?{query}&nationality=IND")["count"] == 1
    assert ask(client, f"/api/v1/figures?{query}&nationality=all")["count"] == 0
    assert ask(client, "/api/v1/figures?nationality=all&span=year")["count"] == 6
    then = ask(client, "/api/v1/figures?vintage=2026-09-30&limit=1000")
    assert {f["vintage"] for f in then["items"]} == {"2026-09-30"}


@pytest.mark.parametrize(
    ("address", "status", "said"),
    [
        ("/api/v1/figures?spam=month", 400, "expected some of release_table"),
        ("/api/v1/figures?span=week", 400, "span: expected 'day', 'month' or 'year'"),
        ("/api/v1/figures?limit=0", 400, "limit"),
        ("/api/v1/figures?limit=1001", 400, "limit"),
        ("/api/v1/figures?after=total/month", 400, "after: expected what 'next'"),
        ("/api/v1/figures?period=October", 400, "period"),
        ("/api/v1/figures?vintage=2026-10-30", 404, "expected a released one (2026-11-24"),
        (f"{ONE}?vintage=2026-10-30", 404, "expected one of 2026-11-24"),
        (ONE.replace("month", "week"), 400, "span: expected day, month, year"),
        (ONE.replace("2026-10-01", "October"), 400, "period: expected a day"),
        (ONE.replace("departed", "gone"), 404, "expected the address of a published figure"),
        ("/api/v1/nowhere", 404, "openapi.json"),
    ],
)  # fmt: skip
def test_what_is_not_there_is_a_problem_that_says_what_was_expected(
    address: str, status: int, said: str, client: Client, published: Country
) -> None:
    answer = client.get(address)
    assert answer.status_code == status
    assert answer["Content-Type"] == "application/problem+json"
    problem = json.loads(answer.content)
    assert problem["status"] == status
    assert said in problem["detail"]
    assert not {"spam", "October", "gone"} & set(problem["detail"].replace("'", " ").split())


def test_lists_and_description(client: Client, published: Country) -> None:
    releases = ask(client, "/api/v1/releases")
    assert [r["vintage"] for r in releases] == [str(v) for v in published.vintages[::-1]]
    assert "asked_by" not in releases[0]
    lists = {c["id"]: c["codes"] for c in ask(client, "/api/v1/codes")}
    assert {"CL_NATIONALITY", "CL_QUANTITY", "CL_OBS_STATUS"} <= set(lists)
    assert {"id": "IND", "name": "India"}.items() <= next(
        c for c in lists["CL_NATIONALITY"] if c["id"] == "IND"
    ).items()
    described = ask(client, "/api/v1/openapi.json")
    assert described["openapi"].startswith("3.")
    assert [set(methods) for methods in described["paths"].values()] == [{"get"}] * 4
    assert "application/json" in str(described["paths"]["/api/v1/figures"])


def test_an_empty_office_answers_with_nothing_not_with_an_error(
    client: Client, no_statistics: None
) -> None:
    assert ask(client, "/api/v1/releases") == []
    assert ask(client, "/api/v1/figures") == {
        "count": 0, "vintage": None, "next": None, "items": []
    }  # fmt: skip
    ask(client, ONE, status=404)


@pytest.mark.parametrize(
    "name",
    [
        "figures.csv.zip",
        "figures.parquet",
        "figures.sdmx.csv",
        *(k.name for k in KINDS if k.name.startswith("structures")),
    ],
)
def test_downloads_are_made_once_and_kept(name: str, client: Client, published: Country) -> None:
    address = f"/figures/downloads/2026-10-31/{name}"
    answer = client.get(address)
    assert answer.status_code == 200
    assert isinstance(answer, StreamingHttpResponse)
    data = b"".join(answer.streaming_content)  # type: ignore[arg-type]
    assert answer["Cache-Control"].endswith("immutable")
    assert f"sojourn-2026-10-31-{name}" in answer["Content-Disposition"]
    again = client.get(address, headers={"If-None-Match": answer["ETag"]})
    assert again.status_code == 304
    stored = all_figures(settings.STATISTICS_URL)
    stored = stored.filter(stored["vintage"].cast(pl.String) == "2026-10-31")
    if name.endswith("parquet"):
        assert pl.read_parquet(BytesIO(data)).height == stored.height
    elif name.endswith("zip"):
        assert "figures.csv-metadata.json" in zipfile.ZipFile(BytesIO(data)).namelist()
    elif name.endswith("csv"):
        assert data.count(b"\n") == stored.height + 1
    kept = [p.name for p in settings.DOWNLOADS.rglob("*") if p.is_file()]
    assert len(kept) == 1
    for path in settings.DOWNLOADS.rglob("*"):
        assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600)
    second = client.get(address)
    assert b"".join(second.streaming_content) == data  # type: ignore[attr-defined]
    for wrong in ("/figures/downloads/2026-10-30/" + name, "/figures/downloads/2026-10-31/x.csv"):
        assert client.get(wrong).status_code == 404
