"""Where the installation asks for a second factor, staff see nothing of cases without one."""

from __future__ import annotations

from pathlib import Path

import pytest
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.contrib.auth.models import User
from pytest_django.fixtures import Settings

from lib.cast import Cast
from lib.desk import case_in, cast_of_today, client_of
from lib.visitor import HOME, enter
from sojourn_web.cases.models import AccessEvent
from sojourn_web.cases.states import State

pytestmark = pytest.mark.django_db(databases=["default", "cases"])
ACTIVATE = "/accounts/2fa/totp/activate/"


@pytest.fixture
def cast(tmp_path: Path, settings: Settings) -> Cast:
    settings.CASES_KEYS = tmp_path / "case-keys"
    settings.CASES_MFA = True
    return cast_of_today()


def test_every_role_is_led_to_its_second_factor_and_then_let_in(cast: Cast) -> None:
    case = case_in(cast, State.COUNSELLING)
    opened = AccessEvent.objects.filter(case=case).count()
    firsts = {
        cast.counsellor: f"/cases/{case.reference}/", cast.supervisor: "/cases/erasures",
        cast.medical: "/cases/screenings", cast.auditor: "/cases/log",
        cast.administrator: "/cases/accounts",
    }  # fmt: skip
    for actor, address in firsts.items():
        client = client_of(actor)
        sent = client.post("/cases/break-glass", {"reference": case.reference})
        assert sent.status_code == 403 or sent.url == ACTIVATE
        assert client.get(address).url == ACTIVATE
        page = client.get(ACTIVATE, follow=True)  # by the password, where sign-in was long ago
        assert page.status_code == 200
        assert "second factor" in page.content.decode()
    assert AccessEvent.objects.filter(case=case).count() == opened
    for actor, address in firsts.items():
        TOTP.activate(User.objects.get(pk=actor.user_id), generate_totp_secret())
        assert client_of(actor).get(address).status_code == 200, address
    TOTP.activate(_user_of(cast), generate_totp_secret())
    assert client_of(cast.stranger).get(f"/cases/{case.reference}/").status_code == 404


def _user_of(cast: Cast) -> User:
    client_of(cast.stranger)
    return User.objects.get(pk=cast.stranger.user_id)


def test_people_themselves_need_none(cast: Cast) -> None:
    case = case_in(cast, State.COUNSELLING)
    client = client_of(cast.counsellor)
    client.logout()
    enter(client, case, cast)
    assert client.get(HOME).status_code == 200


def test_a_production_office_asks_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    from importlib.util import module_from_spec, spec_from_file_location

    import sojourn_web.settings as installed

    def ask(**environment: str) -> bool:
        for name in ("SOJOURN_PRODUCTION", "SOJOURN_CASES_MFA", "SOJOURN_DEMO"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("SOJOURN_SECRET_KEY", "x" * 50)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        spec = spec_from_file_location("settings_once_more", installed.__file__)
        assert spec
        assert spec.loader
        read = module_from_spec(spec)
        spec.loader.exec_module(read)
        return bool(read.CASES_MFA)

    assert ask(SOJOURN_PRODUCTION="1")
    assert not ask(SOJOURN_PRODUCTION="1", SOJOURN_CASES_MFA="0")
    assert not ask()
    assert ask(SOJOURN_CASES_MFA="1")
