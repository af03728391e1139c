"""Counts that say how sure linking is."""

from alembic import op

from sojourn.ledger.tables import linkage_quality

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    linkage_quality.create(op.get_bind())


def downgrade() -> None:
    linkage_quality.drop(op.get_bind())
