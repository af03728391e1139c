"""Tokens of feeds: made once, shown once, kept as a digest."""

from __future__ import annotations

import hashlib
import re
import secrets
from datetime import datetime

from django.contrib.auth.models import User

from sojourn_web.runs.models import FeedToken

PREFIX = "sojourn-feed-"
SOURCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,59}")


class SourceNameError(ValueError):
    """The name could not be a folder of the inbox."""


def make_token(source: str, made_by: User | None) -> str:
    """A new token for ``source``; this is the only time that it can be seen."""
    if not SOURCE.fullmatch(source):
        raise SourceNameError(
            "expected letters, digits, dots, hyphens or underscores (60 at most), beginning with "
            "a letter or a digit"
        )
    token = PREFIX + secrets.token_urlsafe(32)
    FeedToken.objects.create(source=source, digest=digest_of(token), made_by=made_by)
    return token


def digest_of(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def find_token(token: str, now: datetime) -> FeedToken | None:
    """The token's row, unless it is unknown or revoked."""
    found = FeedToken.objects.filter(digest=digest_of(token), revoked_at=None).first()
    if found is not None:
        FeedToken.objects.filter(pk=found.pk).update(used_at=now)
    return found
