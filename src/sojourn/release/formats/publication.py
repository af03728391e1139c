"""Who publishes, under which licence, and what every file says about itself.

In: an office's country. Out: a ``Publication``, and the note that goes into each format.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sojourn.policy import ReleasePolicy
from sojourn.release.formats.codes import nationality_names


@dataclass(frozen=True)
class Publication:
    """``agency`` is an SDMX id; ``address`` the site's, without a slash at its end, or ''.

    ``final_after``: days after which a day, and a month or year, are no longer provisional.
    """

    publisher: str
    agency: str
    licence: str = "CC BY 4.0"
    licence_address: str = "https://creativecommons.org/licenses/by/4.0/"
    address: str = ""
    final_after: tuple[int, int] | None = None


TITLE = "Stays and departures: published figures"
NOTE = (
    "Noise was added to every count before it was published, so that no figure shows whether one "
    "stay is in it. Counts may be negative: they are left so, for sums to stay right. LOWER and "
    "UPPER hold the truth in LEVEL of cases; NOISE_SD is the standard deviation of the noise "
    "alone; EPSILON the privacy loss spent; VINTAGE the last recorded day that is in the figure. "
    "No departure recorded is not still here."
)


def publication_of(
    country: str, *, address: str = "", policy: ReleasePolicy | None = None
) -> Publication:
    """The office of a country given by its ICAO code (policy's read.reporting_country)."""
    _, name = nationality_names().get(country, ("", country))
    final = None if policy is None else (policy.day_ages[-1], policy.month_ages[-1])
    return Publication(
        f"Sojourn, {name.split(' (')[0]}", f"SOJOURN_{country}", address=address,
        final_after=final,
    )  # fmt: skip


def describe(publication: Publication, vintages: Sequence[str]) -> dict[str, str]:
    """What a file says of itself: title, publisher, licence, note, vintages."""
    return {
        "title": TITLE,
        "publisher": publication.publisher,
        "licence": publication.licence,
        "licence_address": publication.licence_address,
        "note": NOTE,
        "vintages": " ".join(sorted(set(vintages))),
    }
