"""The first schema. Later changes get files of their own and freeze this one."""

from alembic import op

from sojourn.ledger.tables import metadata

revision = "0001"
down_revision = None


def upgrade() -> None:
    metadata.create_all(op.get_bind())


def downgrade() -> None:
    metadata.drop_all(op.get_bind())
