"""Signing in, limits, keys and the audit: what must be true of who is calling."""

from datetime import timedelta

import pytest

from waystream.core.errors import Conflict, Forbidden, Invalid
from waystream.kernel.clock import FixedClock
from waystream.kernel.database import Database, Shops
from waystream.kernel.tx import Work
from waystream.kernel.vault import Keys
from waystream.parts.people import actions
from waystream.parts.people.model import LOCK_AFTER, PERMISSIONS, ApiKeyIn, Caller, StaffIn, locked_for

OWNER = Caller("staff:1", "Owner", "owner", Shops.every(), staff_id=None)


@pytest.fixture
def work(database: Database, clock: FixedClock, keys: Keys) -> Work:
    return Work(database, clock, keys)


def test_the_first_run_makes_one_owner_and_tells_the_password_once(work: Work) -> None:
    first = work.run(actions.ensure_owner)
    assert first is not None and first.login == "owner"
    assert work.run(actions.ensure_owner) is None
    with work.begin() as tx:
        [staff] = actions.list_staff(tx)
    assert (staff.role, staff.every_shop, staff.disabled) == ("owner", True, False)


def test_sign_in_gives_a_caller_until_sign_out(work: Work) -> None:
    first = work.run(actions.ensure_owner)
    assert first is not None
    token = work.run(lambda tx: actions.sign_in(tx, login="OWNER", password=first.password))
    assert token is not None
    caller = work.run(lambda tx: actions.find_caller(tx, token))
    assert caller is not None and caller.role == "owner" and caller.must_change and 7 in caller.shops
    work.run(lambda tx: actions.sign_out(tx, token))
    assert work.run(lambda tx: actions.find_caller(tx, token)) is None


@pytest.mark.parametrize(("login", "password"), [("owner", "wrong"), ("nobody", "wrong"), ("", "")])
def test_a_wrong_sign_in_gives_nothing(work: Work, login: str, password: str) -> None:
    work.run(actions.ensure_owner)
    assert work.run(lambda tx: actions.sign_in(tx, login=login, password=password)) is None


def test_many_failures_lock_the_login_for_a_while_even_with_the_right_password(work: Work, clock: FixedClock) -> None:
    first = work.run(actions.ensure_owner)
    assert first is not None
    for _ in range(LOCK_AFTER):
        work.run(lambda tx: actions.sign_in(tx, login="owner", password="wrong"))
    assert work.run(lambda tx: actions.sign_in(tx, login="owner", password=first.password)) is None
    clock.advance(locked_for(LOCK_AFTER) + timedelta(seconds=1))
    assert work.run(lambda tx: actions.sign_in(tx, login="owner", password=first.password)) is not None


def test_a_session_ends_when_it_lies_idle(work: Work, clock: FixedClock) -> None:
    first = work.run(actions.ensure_owner)
    assert first is not None
    token = work.run(lambda tx: actions.sign_in(tx, login="owner", password=first.password))
    assert token is not None
    clock.advance(timedelta(days=4))
    assert work.run(lambda tx: actions.find_caller(tx, token)) is None


def test_a_new_password_ends_the_other_sessions(work: Work) -> None:
    first = work.run(actions.ensure_owner)
    assert first is not None
    here, there = (work.run(lambda tx: actions.sign_in(tx, login="owner", password=first.password)) for _ in "ab")
    assert here and there
    staff_id = work.run(actions.list_staff)[0].id
    with pytest.raises(Forbidden):
        work.run(lambda tx: actions.change_password(tx, staff_id, old="no", new="long enough 1", token=here))
    with pytest.raises(Invalid):
        work.run(lambda tx: actions.change_password(tx, staff_id, old=first.password, new="short", token=here))
    work.run(lambda tx: actions.change_password(tx, staff_id, old=first.password, new="long enough 1", token=here))
    caller = work.run(lambda tx: actions.find_caller(tx, here))
    assert caller is not None and not caller.must_change
    assert work.run(lambda tx: actions.find_caller(tx, there)) is None


def test_the_last_owner_stays(work: Work) -> None:
    work.run(actions.ensure_owner)
    owner = work.run(actions.list_staff)[0].id
    with pytest.raises(Conflict):
        work.run(lambda tx: actions.switch_staff(tx, owner, on=False, actor="staff:1"))
    with pytest.raises(Conflict):
        work.run(lambda tx: actions.change_staff(tx, owner, StaffIn("owner", "O", "care"), actor="staff:1"))


def test_disabling_a_person_ends_their_sessions(work: Work) -> None:
    work.run(actions.ensure_owner)
    made = work.run(lambda tx: actions.add_staff(tx, StaffIn("lin", "Lin", "care"), actor="staff:1"))
    token = work.run(lambda tx: actions.sign_in(tx, login="lin", password=made.password))
    assert token
    lin = next(staff.id for staff in work.run(actions.list_staff) if staff.login == "lin")
    work.run(lambda tx: actions.switch_staff(tx, lin, on=False, actor="staff:1"))
    assert work.run(lambda tx: actions.find_caller(tx, token)) is None
    assert work.run(lambda tx: actions.sign_in(tx, login="lin", password=made.password)) is None


def test_a_key_calls_with_its_scopes_until_revoked(work: Work) -> None:
    secret = work.run(lambda tx: actions.add_key(tx, ApiKeyIn("shop", ("orders:write",), every_shop=True), by=OWNER))
    caller = work.run(lambda tx: actions.find_key_caller(tx, secret))
    assert caller is not None and caller.may("orders:write") and not caller.may("orders:read")
    key_id = work.run(actions.list_keys)[0].id
    work.run(lambda tx: actions.revoke_key(tx, key_id, actor="staff:1"))
    assert work.run(lambda tx: actions.find_key_caller(tx, secret)) is None


@pytest.mark.parametrize("secret", ["", "ws", "ws_", "ws_x_", "ws_deadbeef_nope", "xx_deadbeef_nope", "ws_" + "_" * 50])
def test_a_made_up_key_calls_nobody(work: Work, secret: str) -> None:
    assert work.run(lambda tx: actions.find_key_caller(tx, secret)) is None


def test_nobody_gives_a_key_more_than_they_have(work: Work) -> None:
    care = Caller("staff:2", "Lin", "care", Shops.of([1]), staff_id=None)
    for key in (ApiKeyIn("a", ("ship:write",), shop_ids=(1,)), ApiKeyIn("b", ("orders:write",), every_shop=True)):
        with pytest.raises(Forbidden):
            work.run(lambda tx, key=key: actions.add_key(tx, key, by=care))


def test_an_unknown_permission_opens_no_door() -> None:
    assert not OWNER.may("orders:raed")
    assert all(OWNER.may(permission) for permission in PERMISSIONS)


def test_the_analyst_sees_nothing_personal() -> None:
    analyst = Caller("staff:3", "Wu", "analyst", Shops.every())
    assert not any(analyst.may(p) for p in ("person:read", "person:unmask", "labels:read", "raw:read", "orders:write"))


def test_the_audit_tells_who_did_what_newest_first(work: Work) -> None:
    work.run(actions.ensure_owner)
    work.run(lambda tx: actions.add_staff(tx, StaffIn("lin", "Lin", "care"), actor="staff:1"))
    lines = work.run(lambda tx: actions.list_audit(tx, shops=Shops.every(), limit=1))
    rest = work.run(lambda tx: actions.list_audit(tx, shops=Shops.every(), before=(lines[0].at, lines[0].id)))
    assert [line.action for line in lines + rest] == ["staff.add", "staff.add"]
    assert [line.actor for line in lines + rest] == ["staff:1", "system"]
