"""Cases live in a database of their own: which alias a table belongs to.

In: Django's questions. Out: ``cases`` for the tables of voluntary return, nothing else there.
"""

from __future__ import annotations

from typing import Any

ALIAS = "cases"


class CasesRouter:
    def db_for_read(self, model: Any, **hints: Any) -> str | None:
        return ALIAS if model._meta.app_label == ALIAS else None

    def db_for_write(self, model: Any, **hints: Any) -> str | None:
        return ALIAS if model._meta.app_label == ALIAS else None

    def allow_relation(self, one: Any, other: Any, **hints: Any) -> bool | None:
        """Never across the two databases: accounts are named by their number, not by a key."""
        sides = {one._meta.app_label == ALIAS, other._meta.app_label == ALIAS}
        return None if len(sides) == 1 else False

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool | None:
        return (db == ALIAS) == (app_label == ALIAS)
