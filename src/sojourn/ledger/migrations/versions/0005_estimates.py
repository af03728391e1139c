"""Estimates as they were made."""

from alembic import op

from sojourn.ledger.tables import estimates

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    estimates.create(op.get_bind())


def downgrade() -> None:
    estimates.drop(op.get_bind())
