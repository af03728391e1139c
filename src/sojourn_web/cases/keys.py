"""Which store holds the keys of cases: files, or files that a key service has wrapped.

In: the settings. Out: ``CaseKeys``. The stores themselves are in ``key_files`` and
``wrapped_keys``; everything else asks here.
"""

from __future__ import annotations

from pathlib import Path

from sojourn_web.cases.key_files import KEY_BYTES, NONCE_BYTES, CaseKeys, FileCaseKeys
from sojourn_web.cases.wrapped_keys import open_service


def case_keys() -> CaseKeys:
    """The installation's store, from the settings. For views and commands: a new one each time, so
    that what it has read of a key service lives no longer than the request."""
    from django.conf import settings

    if settings.CASES_KEY_SERVICE:
        return open_service(
            Path(settings.CASES_KEYS), settings.CASES_KEY_SERVICE, settings.CASES_KEY_TOKEN,
            settings.CASES_KEY_CA, is_erased=has_tombstone,
        )  # fmt: skip
    return FileCaseKeys.open_or_create(Path(settings.CASES_KEYS), has_tombstone)


def has_tombstone(key_id: str) -> bool:
    """Whether two people erased the case that had this key: nothing else is an erasure."""
    from django.apps import apps  # the tables' columns are sealed by keys: no import goes back

    stones = apps.get_model("cases", "Tombstone")._default_manager
    return bool(stones.filter(key_id=key_id).exists())


__all__ = ["KEY_BYTES", "NONCE_BYTES", "CaseKeys", "FileCaseKeys", "case_keys", "has_tombstone"]
