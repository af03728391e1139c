"""Counts kept by differences: stays by state, vintages, how late sources tell, lists.

They are filled from what is held when the ledger is next opened (``ledger.counted``): what an
outcome is, is known there and not here.
"""

import sqlalchemy as sa
from alembic import op

from sojourn.ledger.tables import (
    crossing_lists,
    latest_vintage,
    reporting,
    source_gaps,
    stay_counts,
    vintages,
)

revision = "0003"
down_revision = "0002"
TABLES = (stay_counts, vintages, latest_vintage, reporting, crossing_lists, source_gaps)


def upgrade() -> None:
    for table in TABLES:
        table.create(op.get_bind())
    # A ledger that is made today has the column from its first schema on.
    columns = {c["name"] for c in sa.inspect(op.get_bind()).get_columns("reports")}
    if "learned_on" not in columns:
        op.add_column("reports", sa.Column("learned_on", sa.Integer))


def downgrade() -> None:
    op.drop_column("reports", "learned_on")
    op.execute("DELETE FROM facts WHERE name <> 'purged_until'")
    for table in TABLES:
        table.drop(op.get_bind())
