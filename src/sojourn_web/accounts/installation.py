"""Which kind this installation is; demo logins live in demo databases only."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser, Group
from django.db import transaction

from sojourn_web.accounts.models import DemoPerson, Installation, Kind
from sojourn_web.accounts.roles import Role


class DemoRefusedError(Exception):
    """A demo was asked for where real records are kept."""


def settle_kind(kind: Kind) -> None:
    """Write down what this database is for. Raises DemoRefusedError where it is an office's."""
    with transaction.atomic():
        found = Installation.objects.select_for_update().first()
        if found is None:
            Installation.objects.create(kind=kind)
        elif found.kind != kind:
            raise DemoRefusedError(
                f"this database is for: {found.kind}; asked for: {kind}. Use another home."
            )


def is_demo() -> bool:
    """Whether demo people may sign in here: the settings and the database must both say so."""
    if settings.PRODUCTION or not settings.DEMO:
        return False
    found = Installation.objects.first()
    return found is not None and found.kind == Kind.DEMO


def make_person(name: str, password: str, role: Role, *, demo: bool) -> AbstractBaseUser:
    """An account with one role; a demo's is marked. Raises DemoRefusedError outside a demo."""
    if demo and not is_demo():
        raise DemoRefusedError("demo accounts can be made in a demo only")
    with transaction.atomic():
        user, _ = get_user_model().objects.get_or_create(username=name)
        user.set_password(password)
        user.save()
        group, _ = Group.objects.get_or_create(name=role.value)
        user.groups.set([group])
        if demo:
            DemoPerson.objects.get_or_create(user=user)
    return user
