"""What a release keeps: spends, draws, figures, and what each crossing has added to counts.

Written out here, since the release room's tables are its own (``sojourn.release.store``): a test
holds the two together.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

FIGURE_KEY = ("release_table", "span", "period", "nationality", "mode", "admission_class",
              "quantity", "vintage")  # fmt: skip
SHORT = {"span": sa.String(5), "period": sa.String(10), "vintage": sa.String(10),
         "recorded": sa.String(10)}  # fmt: skip


def key(*names: str) -> list[sa.Column[Any]]:
    return [sa.Column(n, SHORT.get(n, sa.Text()), primary_key=True) for n in names]


def must(kind: sa.types.TypeEngine[Any], *names: str) -> list[sa.Column[Any]]:
    return [sa.Column(n, kind, nullable=False) for n in names]


def may(kind: sa.types.TypeEngine[Any], *names: str) -> list[sa.Column[Any]]:
    return [sa.Column(n, kind) for n in names]


def upgrade() -> None:
    op.create_table(
        "releases", *key("release_id"), *must(sa.BigInteger(), "released_at"),
        *must(sa.String(10), "vintage"), *must(sa.Text(), "policy_digest", "method"),
        *must(sa.Float(), "epsilon"), *must(sa.Text(), "asked_by", "approved_by", "note", "run"),
    )  # fmt: skip
    node = ("release_table", "span", "period", "recorded", "event")
    op.create_table(
        "spends", *key(*node, "method"), *must(sa.Text(), "dimensions"),
        *must(sa.Integer(), "budget_year"),
        *must(sa.Float(), "epsilon", "unit_loss"), *must(sa.Integer(), "contributions"),
        *must(sa.Float(), "scale"), *must(sa.BigInteger(), "spent_at"),
        *must(sa.Text(), "release_id"),
    )  # fmt: skip
    op.create_index("spends_release_id", "spends", ["release_id"])
    op.create_table(
        "draws", *key(*node), *must(sa.String(16), "cells"), *must(sa.LargeBinary(), "counts")
    )
    op.create_table(
        "cell_lists", sa.Column("cells", sa.String(16), primary_key=True),
        *must(sa.Text(), "words"),
    )  # fmt: skip
    op.create_table(
        "figures", *key(*FIGURE_KEY), *may(sa.Float(), "value", "lower", "upper"),
        *must(sa.Float(), "level"), *may(sa.Float(), "noise_sd"), *must(sa.Float(), "epsilon"),
        *must(sa.Text(), "method", "release_id"), sqlite_with_rowid=False,
    )  # fmt: skip
    op.create_table(
        "contributed", sa.Column("crossing_ref", sa.LargeBinary(), primary_key=True),
        sa.Column("place", sa.SmallInteger(), primary_key=True), *may(sa.Text(), "event"),
        *may(sa.Integer(), "day"), *may(sa.Text(), "nationality", "mode", "admission_class"),
        *must(sa.Integer(), "corrections", "dies_on"),
    )  # fmt: skip
    op.create_index("contributed_dies_on", "contributed", ["dies_on"])
    op.create_table(
        "waiting", *key("span", "period", "nationality", "mode", "admission_class", "event"),
        *must(sa.BigInteger(), "count"),
    )  # fmt: skip


def downgrade() -> None:
    for table in ("waiting", "contributed", "figures", "cell_lists", "draws", "spends",
                  "releases"):  # fmt: skip
        op.drop_table(table)
