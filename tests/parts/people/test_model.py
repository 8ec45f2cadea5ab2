"""The table of roles and the rules of sign-in, without a database."""

from datetime import UTC, datetime, timedelta

import pytest

from waystream.core.errors import Forbidden, Invalid
from waystream.kernel.database import Shops
from waystream.parts.people import model
from waystream.parts.people.model import KEY_SCOPES, ROLES, Caller, Permission, Role

P = Permission
NOW = datetime(2026, 11, 12, tzinfo=UTC)


def caller(role: Role, **given: object) -> Caller:
    return Caller("staff:1", role, ROLES[role], Shops.every(), **given)  # type: ignore[arg-type]


def test_the_analyst_sees_nobody() -> None:
    assert not caller(Role.ANALYST).may(P.PERSON_MASKED)
    assert not caller(Role.ANALYST).may(P.PERSON_UNMASK)


def test_only_three_roles_unmask_and_no_key_does() -> None:
    assert {role for role in Role if caller(role).may(P.PERSON_UNMASK)} == {Role.OWNER, Role.WAREHOUSE, Role.CARE}
    assert P.PERSON_UNMASK not in KEY_SCOPES


def test_only_the_owner_manages_people_setup_and_reads_the_audit() -> None:
    for permission in (P.PEOPLE_WRITE, P.SETUP_WRITE, P.AUDIT_READ):
        assert {role for role in Role if caller(role).may(permission)} == {Role.OWNER}


def test_permissions_are_the_words_of_scopes() -> None:
    assert caller(Role.CARE).may("orders:write")
    assert not caller(Role.CARE).may("orders:everything")
    with pytest.raises(Forbidden, match="setup:write"):
        caller(Role.CARE).require("setup:write")


def test_who_has_to_choose_a_password_may_nothing_else() -> None:
    assert not caller(Role.OWNER, must_change=True).may(P.ORDERS_READ)


def test_warehouses_limit_only_when_named() -> None:
    assert caller(Role.WAREHOUSE).may_warehouse(7)
    assert not caller(Role.WAREHOUSE, warehouses=frozenset({1})).may_warehouse(7)


def test_a_lock_grows_to_an_hour_and_stays_there() -> None:
    assert [model.lock_s(failed) for failed in (0, 4, 5, 6, 7, 12, 500)] == [0, 0, 30, 60, 120, 3600, 3600]
    assert model.locked_until(4, now=NOW) is None
    assert model.locked_until(5, now=NOW) == NOW + timedelta(seconds=30)


@pytest.mark.parametrize("password", ["short", "aaaaaaaaaaaa", "LongLogin1", "x" * 201])
def test_bad_passwords(password: str) -> None:
    with pytest.raises(Invalid):
        model.checked_password(password, login="longlogin1")


@pytest.mark.parametrize("scopes", [[], ["person:unmask"], ["orders:read", "x"]])
def test_bad_scopes(scopes: list[str]) -> None:
    with pytest.raises(Invalid):
        model.checked_scopes(scopes)
