"""Every error that Sojourn raises on purpose, as one tree; each has an exit code.

    SojournError            1
    ├── UsageError          2   the call's words are off
    ├── PolicyError         3   a policy file says something that cannot be
    ├── ReadError           4   a file cannot be read as what it should be
    ├── SchemaError         5   a table at a step's door is not what schemas.py says
    │   └── ReportError     5   a report fails its own check, or lacks what it is made of
    ├── KeyProviderError    6   a key is missing, unreadable or unsafe
    ├── LinkageError        7   weights and policy do not belong together, and the like
    ├── LedgerError         8   the store refuses (wrong version, busy, not reachable)
    │   ├── HorizonError    8   a question about days whose rows are gone
    │   └── OvertakenError  8   another process wrote between a look and what was decided by it
    ├── PrivacyError        9   a request that would expose somebody; always refused
    │   └── AlreadyReleasedError 9  what is asked for has been released: nothing is drawn twice
    └── SetupError         10   something this machine needs is not there

A message says what was expected, what was found and what to do. It never holds a value of
a row: name the file's digest, the position, the column. Only ``sojourn.__main__`` exits.
"""

from __future__ import annotations


class SojournError(Exception):
    """Base of the tree. ``exit_code`` is what the command line returns."""

    exit_code = 1


class UsageError(SojournError):
    exit_code = 2


class PolicyError(SojournError):
    exit_code = 3


class ReadError(SojournError):
    exit_code = 4


class SchemaError(SojournError):
    exit_code = 5


class ReportError(SchemaError):
    pass


class KeyProviderError(SojournError):
    exit_code = 6


class LinkageError(SojournError):
    exit_code = 7


class LedgerError(SojournError):
    exit_code = 8


class HorizonError(LedgerError):
    pass


class OvertakenError(LedgerError):
    pass


class PrivacyError(SojournError):
    exit_code = 9


class AlreadyReleasedError(PrivacyError):
    pass


class SetupError(SojournError):
    exit_code = 10


__all__ = [
    "AlreadyReleasedError",
    "HorizonError",
    "KeyProviderError",
    "LedgerError",
    "LinkageError",
    "OvertakenError",
    "PolicyError",
    "PrivacyError",
    "ReadError",
    "ReportError",
    "SchemaError",
    "SetupError",
    "SojournError",
    "UsageError",
]
