"""What a case refuses, each with what to do. No message holds what a person told.

CaseError
├── NotVisibleError    there is no such case for this person: pages answer 404
├── NotAllowedError    visible, yet this role may not do that: pages answer 403
├── NoSecondFactorError  staff must add one first: pages lead there
├── RefusedError       a safeguard says no; ``reasons`` say why and what to do
├── ConflictError      somebody else has changed it since it was shown
└── ErasedError        two people erased it: this can no longer be read by anybody
"""

from __future__ import annotations

from sojourn.errors import KeyProviderError, SojournError


class CaseError(SojournError):
    pass


class NotVisibleError(CaseError):
    def __init__(self) -> None:
        super().__init__("expected a case that you may see; found none under this reference")


class NotAllowedError(CaseError):
    pass


class NoSecondFactorError(CaseError):
    """Staff without a second factor, where the installation asks for one: they are led to it."""


class RefusedError(CaseError):
    """``reasons``: one sentence each, for the page."""

    def __init__(self, *reasons: str) -> None:
        super().__init__(" ".join(reasons))
        self.reasons = reasons


class ConflictError(CaseError):
    def __init__(self) -> None:
        super().__init__(
            "the case was changed since this page was shown: look at it again, then decide"
        )


class ErasedError(CaseError):
    def __init__(self) -> None:
        super().__init__("erased: the key is destroyed and nobody can read this again")


class CaseKeyError(KeyProviderError):
    """The key store is missing, unsafe, or what was read is not what was sealed."""


class KeyMissingError(CaseKeyError):
    """A case's key is not there, and no tombstone says that the case was erased."""

    def __init__(self) -> None:
        super().__init__(
            "a case's key is not there, and nobody has erased the case: the folder of keys or the "
            "key service may have been restored from an older backup than the database. Restore "
            "their newest backup. Where there is none, two people may erase the case"
        )


class KeysAwayError(CaseKeyError):
    """The key service does not answer now: nothing is lost, and trying again may help."""
