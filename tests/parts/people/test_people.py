"""Staff, sessions, keys and the audit on the real database."""

import threading
from datetime import timedelta

import pytest

from tests.parts.world import World, counts
from waystream.core.errors import Conflict, Forbidden, Missing
from waystream.kernel.audit import Entry
from waystream.kernel.database import Database, Shops
from waystream.kernel.tx import Work
from waystream.parts.people import actions, credentials
from waystream.parts.people.actions import Limits
from waystream.parts.people.model import Caller, Role

EVERY = Limits(every_shop=True)
PASSWORD = "correct horse"


def owner_id(owner: Caller) -> int:
    return int(owner.actor.removeprefix("staff:"))


def test_the_first_owner_is_made_once_and_has_to_choose_a_password(world: World) -> None:
    with world.work.begin() as tx:
        made = actions.ensure_owner(tx, login="boss")
        assert made is not None
        assert actions.ensure_owner(tx) is None
        signed = actions.sign_in(tx, login="BOSS", password=made.password)
        assert signed is not None
        assert signed.caller.must_change
        assert not signed.caller.may("orders:read")
        assert actions.change_password(tx, made.staff.id, old=made.password, new=PASSWORD, token=signed.token)
        again = actions.find_signed_in(tx, signed.token)
        assert again is not None
        assert again.caller.may("people:write")
        assert again.caller.shops == Shops.every()


def test_what_is_stored_is_no_password_and_no_token(world: World, owner: Caller) -> None:
    with world.work.begin() as tx:
        signed = actions.sign_in(tx, login="owner", password=PASSWORD)
        key = actions.create_key(tx, name="k", scopes=["orders:read"], limits=EVERY, by=owner)
        assert signed is not None
        for table in ("staff", "session", "api_key", "audit"):
            stored = str(tx.conn.execute(f"SELECT {table}::text FROM {table}").fetchall())
            assert PASSWORD not in stored
            assert signed.token not in stored
            assert key.secret.split("_", 2)[2] not in stored


def test_wrong_unknown_disabled_are_all_none_and_each_costs_one_hash(
    world: World, owner: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked = []
    check = credentials.check_password
    monkeypatch.setattr(credentials, "check_password", lambda *given: checked.append(1) or check(*given))
    with world.work.begin() as tx:
        made = actions.create_staff(tx, login="mei", name="Mei", role="care", limits=EVERY, by=owner)
        actions.disable_staff(tx, made.staff.id, by=owner)
        for login, password in (("owner", "wrong"), ("nobody", "wrong"), ("mei", made.password)):
            assert actions.sign_in(tx, login=login, password=password) is None
    assert len(checked) == 3


def test_five_wrong_passwords_lock_the_right_one_out_for_a_while(world: World, owner: Caller) -> None:
    left = "SELECT failed_signins, extract(epoch FROM locked_until - clock_timestamp()) FROM staff"
    with world.work.begin() as tx:
        for _ in range(4):
            assert actions.sign_in(tx, login="owner", password="wrong") is None
        assert counts(tx, "session")["session"] == 0
        assert tx.conn.execute("SELECT failed_signins, locked_until FROM staff").fetchone() == (4, None)
        assert actions.sign_in(tx, login="owner", password="wrong") is None
        (_, locked_s) = tx.conn.execute(left).fetchone()
        assert 20 < locked_s <= 30
        assert actions.sign_in(tx, login="owner", password=PASSWORD) is None

        tx.conn.execute("UPDATE staff SET locked_until = clock_timestamp()")
        assert actions.sign_in(tx, login="owner", password="wrong") is None
        (failed, locked_s) = tx.conn.execute(left).fetchone()
        assert failed == 6
        assert 50 < locked_s <= 60  # hashing a password takes its time on a busy machine
        tx.conn.execute("UPDATE staff SET locked_until = clock_timestamp()")
        assert actions.sign_in(tx, login="owner", password=PASSWORD) is not None
        assert tx.conn.execute("SELECT failed_signins, locked_until FROM staff").fetchone() == (0, None)


def test_sign_in_rotates_and_sign_out_ends(world: World, owner: Caller) -> None:
    with world.work.begin() as tx:
        first = actions.sign_in(tx, login="owner", password=PASSWORD)
        assert first is not None
        second = actions.sign_in(tx, login="owner", password=PASSWORD, replacing=first.token)
        assert second is not None
        assert actions.find_signed_in(tx, first.token) is None
        assert actions.find_signed_in(tx, second.token) is not None
        actions.sign_out(tx, second.token)
        actions.sign_out(tx, second.token)
        assert actions.find_signed_in(tx, second.token) is None
        assert [line.action for line in actions.list_audit(tx, limit=3)] == ["sign_out", "sign_in", "sign_in"]


def test_a_session_ends_with_its_time(world: World, owner: Caller) -> None:
    with world.work.begin() as tx:
        signed = actions.sign_in(tx, login="owner", password=PASSWORD)
        assert signed is not None
        tx.conn.execute("UPDATE session SET expires_at = clock_timestamp()")
        assert actions.find_signed_in(tx, signed.token) is None
        assert actions.drop_expired_sessions(tx) == 1
        assert counts(tx, "session") == {"session": 0}


def test_a_new_password_ends_the_other_sessions(world: World, owner: Caller) -> None:
    with world.work.begin() as tx:
        here, there = (actions.sign_in(tx, login="owner", password=PASSWORD) for _ in range(2))
        assert here is not None
        assert there is not None
        assert not actions.change_password(tx, here.staff_id, old="wrong", new="another horse", token=here.token)
        assert actions.change_password(tx, here.staff_id, old=PASSWORD, new="another horse", token=here.token)
        assert actions.find_signed_in(tx, here.token) is not None
        assert actions.find_signed_in(tx, there.token) is None


def test_disabling_ends_sessions_and_the_last_owner_stays(world: World, owner: Caller) -> None:
    with world.work.begin() as tx:
        made = actions.create_staff(tx, login="mei", name="Mei", role="owner", limits=EVERY, by=owner)
        signed = actions.sign_in(tx, login="mei", password=made.password)
        assert signed is not None
        actions.disable_staff(tx, made.staff.id, by=owner)
        assert actions.find_signed_in(tx, signed.token) is None
        with pytest.raises(Conflict):
            actions.disable_staff(tx, owner_id(owner), by=owner)
        with pytest.raises(Conflict):
            actions.change_staff(tx, owner_id(owner), name="O", role="care", limits=EVERY, by=owner)
        actions.enable_staff(tx, made.staff.id, by=owner)
        actions.disable_staff(tx, owner_id(owner), by=owner)


def test_limits_make_the_callers_shops_and_warehouses(world: World, owner: Caller) -> None:
    limits = Limits(shops=(world.tea,), warehouses=(world.yh,))
    with world.work.begin() as tx:
        staff = actions.create_staff(tx, login="mei", name="Mei", role="warehouse", limits=limits, by=owner).staff
        assert staff.caller().shops == Shops.of([world.tea])
        assert staff.caller().warehouses == frozenset({world.yh})
        changed = actions.change_staff(
            tx, staff.id, name="Mei", role="care", limits=Limits(shops=(world.toys,)), by=owner, language="en"
        )
        assert (changed.role, changed.shops, changed.warehouses, changed.language) == (
            Role.CARE,
            (world.toys,),
            (),
            "en",
        )


def test_nobody_gives_more_than_they_have(world: World, owner: Caller) -> None:
    with world.work.begin() as tx:
        mei = actions.create_staff(
            tx, login="mei", name="Mei", role="owner", limits=Limits(shops=(world.tea,)), by=owner
        ).staff
        tx.conn.execute("UPDATE staff SET must_change = false")
        by = actions.get_staff(tx, mei.id).caller()
        for limits in (EVERY, Limits(shops=(world.tea, world.toys))):
            with pytest.raises(Forbidden):
                actions.create_staff(tx, login="li", name="Li", role="care", limits=limits, by=by)
            with pytest.raises(Forbidden):
                actions.create_key(tx, name="k", scopes=["orders:read"], limits=limits, by=by)
        with pytest.raises(Forbidden):
            actions.disable_staff(tx, owner_id(owner), by=by)
        with pytest.raises(Forbidden):
            actions.reset_password(tx, owner_id(owner), by=by)


def test_a_login_is_taken_in_any_case(world: World, owner: Caller) -> None:
    with world.work.begin() as tx, pytest.raises(Conflict):
        actions.create_staff(tx, login="OWNER", name="x", role="care", limits=EVERY, by=owner)


def test_a_key_calls_with_its_scopes_until_revoked(world: World, owner: Caller) -> None:
    with world.work.begin() as tx:
        made = actions.create_key(
            tx, name="erp", scopes=["orders:write", "orders:read"], limits=Limits(shops=(world.tea,)), by=owner
        )
        caller = actions.find_key_caller(tx, made.secret)
        assert caller is not None
        assert caller.actor == f"key:{made.key.id}"
        assert caller.may("orders:write")
        assert not caller.may("ship:write")
        assert caller.shops == Shops.of([world.tea])
        [listed] = actions.list_keys(tx)
        assert listed.used_at is not None

        for wrong in (made.secret[:-1], made.secret + "x", "", "ws_aaaaaaaa_x", "Bearer", "ws__"):
            assert actions.find_key_caller(tx, wrong) is None
        actions.revoke_key(tx, made.key.id, by=owner)
        assert actions.find_key_caller(tx, made.secret) is None
        with pytest.raises(Missing):
            actions.revoke_key(tx, made.key.id, by=owner)


def test_the_audit_pages_newest_first_and_hides_other_shops(
    world: World, owner: Caller, page_database: Database
) -> None:
    for shop_id in (world.tea, world.toys, None):
        with world.work.begin() as tx:
            tx.note(*(Entry("system", "see", f"order:{n}", shop_id, "why") for n in range(2)))
    page = Work(page_database, world.work.clock, world.work.keys)
    with page.begin(shops=Shops.of([world.tea])) as tx:
        lines = actions.list_audit(tx, action="see", limit=3)
        assert [(line.subject, line.shop_id) for line in lines] == [
            ("order:1", None),
            ("order:0", None),
            ("order:1", world.tea),
        ]
        rest = actions.list_audit(tx, action="see", before=(lines[-1].at, lines[-1].id))
        assert [(line.subject, line.shop_id) for line in rest] == [("order:0", world.tea)]
        assert [line.id for line in actions.list_audit(tx, subject="order:0", action="see")] == [
            lines[1].id,
            rest[0].id,
        ]
        assert lines[0].at - rest[0].at < timedelta(seconds=1)


def test_guesses_at_once_are_counted_one_by_one(world: World, owner: Caller) -> None:
    """The account's row is locked while a password is checked: ten browsers have no more tries than one."""

    def guess() -> None:
        world.work.run(lambda tx: actions.sign_in(tx, login="owner", password="wrong"))

    threads = [threading.Thread(target=guess) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with world.work.begin() as tx:
        assert tx.conn.execute("SELECT failed_signins, locked_until > clock_timestamp() FROM staff").fetchone() == (
            5, True)  # fmt: skip
