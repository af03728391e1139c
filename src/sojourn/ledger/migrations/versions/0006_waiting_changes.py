"""Status changes that wait for their stay, and who left on which day."""

import sqlalchemy as sa
from alembic import op

from sojourn.ledger.tables import reports, statuses, waiting_changes

revision = "0006"
down_revision = "0005"
INDEXES = ("reports_left_on", "statuses_other_ref")


def upgrade() -> None:
    waiting_changes.create(op.get_bind())
    # A ledger that is made today has the column and the indexes from its first schema on.
    found = sa.inspect(op.get_bind())
    if "other_ref" not in {c["name"] for c in found.get_columns("statuses")}:
        op.add_column("statuses", sa.Column("other_ref", sa.LargeBinary))
    for table in (reports, statuses):
        there = {i["name"] for i in found.get_indexes(table.name)}
        for index in table.indexes:
            if index.name in INDEXES and index.name not in there:
                index.create(op.get_bind())


def downgrade() -> None:
    for name in INDEXES:
        op.drop_index(name)
    op.drop_column("statuses", "other_ref")
    waiting_changes.drop(op.get_bind())
