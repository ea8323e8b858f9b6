"""What roles may do, and when a session is over."""

from dataclasses import replace
from datetime import timedelta

import pytest

from services.emission.users import IDLE, LONGEST, ROLES, NewUser, Session, User
from shared.codec import InvalidMessageError, decode
from tests.unit.web.tokens import NOW

ANNA = User("anna", "Anna", "marketer", NOW, has_password=True)
SECOND = timedelta(seconds=1)


def test_only_administrators_administrate_and_nobody_of_the_console_is_a_till() -> None:
    assert {role for role, scopes in ROLES.items() if "admin" in scopes} == {"administrator"}
    assert not any("checkouts:write" in scopes for scopes in ROLES.values())
    assert ROLES["analyst"] < ROLES["marketer"] < ROLES["administrator"]
    assert {scope for scope in ROLES["analyst"] if not scope.endswith(":read")} == set()


def test_a_session_ends_when_it_is_not_used_and_in_any_case_after_a_week() -> None:
    idle = Session(ANNA, NOW, NOW)
    assert not idle.is_over(NOW + IDLE - SECOND)
    assert idle.is_over(NOW + IDLE)
    busy = Session(ANNA, NOW, NOW + LONGEST - SECOND)
    assert not busy.is_over(NOW + LONGEST - SECOND)
    assert busy.is_over(NOW + LONGEST)


def test_who_is_disabled_has_no_session() -> None:
    assert Session(replace(ANNA, disabled=True), NOW, NOW).is_over(NOW)


def test_a_login_is_the_same_in_upper_and_lower_case() -> None:
    body = b'{"login": "Anna.K@shop.example", "name": "Anna", "role": "analyst"}'
    assert decode(NewUser, body).login == "anna.k@shop.example"
    with pytest.raises(InvalidMessageError, match="login"):
        decode(NewUser, b'{"login": "an na", "name": "Anna", "role": "analyst"}')
