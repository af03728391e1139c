"""The first schema. Later changes get files of their own and freeze this one."""

from alembic import op

from sojourn.ledger.tables import metadata

revision = "0001"
down_revision = None
LATER = (  # have files of their own
    "linkage_quality", "stay_counts", "vintages", "latest_vintage", "reporting", "crossing_lists",
    "source_gaps", "estimates", "waiting_changes",
)  # fmt: skip
FIRST = [t for t in metadata.sorted_tables if t.name not in LATER]


def upgrade() -> None:
    metadata.create_all(op.get_bind(), tables=FIRST)


def downgrade() -> None:
    metadata.drop_all(op.get_bind(), tables=FIRST)
