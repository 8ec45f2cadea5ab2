"""Nobody gives, takes or manages more than they have: permissions, shops and warehouses, of people and of keys."""

import pytest

from tests.parts.world import World
from waystream.core.errors import Forbidden, Missing
from waystream.kernel.database import Shops
from waystream.kernel.tx import Tx
from waystream.parts.people import actions
from waystream.parts.people.actions import Limits
from waystream.parts.people.model import Caller, Permission, Role, Staff

P = Permission
EVERY = Limits(every_shop=True)


def hire(tx: Tx, login: str, role: Role, limits: Limits, *, by: Caller) -> Staff:
    staff = actions.create_staff(tx, login=login, name=login, role=role, limits=limits, by=by).staff
    tx.conn.execute("UPDATE staff SET must_change = false WHERE id = %s", [staff.id])
    return actions.get_staff(tx, staff.id)


def caller_of_key(tx: Tx, *scopes: str, limits: Limits = EVERY, by: Caller) -> Caller:
    caller = actions.find_key_caller(tx, actions.create_key(tx, name="k", scopes=scopes, limits=limits, by=by).secret)
    assert caller is not None
    return caller


def test_a_key_that_manages_people_makes_no_role_that_may_more(world: World, owner: Caller) -> None:
    with world.work.begin() as tx:
        by = caller_of_key(tx, "people:write", by=owner)
        boss = hire(tx, "boss", Role.OWNER, EVERY, by=owner)
        mei = hire(tx, "mei", Role.ANALYST, EVERY, by=owner)
        for role in Role:
            with pytest.raises(Forbidden):
                actions.create_staff(tx, login="li", name="Li", role=role, limits=EVERY, by=by)
            with pytest.raises(Forbidden):
                actions.change_staff(tx, mei.id, name="Mei", role=role, limits=EVERY, by=by)
        for manage in (actions.reset_password, actions.disable_staff, actions.enable_staff):
            with pytest.raises(Forbidden):
                manage(tx, boss.id, by=by)

        reader = caller_of_key(tx, "people:write", "orders:read", "parcels:read", by=owner)
        actions.create_staff(tx, login="li", name="Li", role="analyst", limits=EVERY, by=reader)
        actions.reset_password(tx, mei.id, by=reader)


def test_who_is_limited_to_a_warehouse_gives_no_other(world: World, owner: Caller) -> None:
    here = Limits(every_shop=True, warehouses=(world.yh,))
    with world.work.begin() as tx:
        by = hire(tx, "mei", Role.OWNER, here, by=owner).caller()
        for limits in (EVERY, Limits(every_shop=True, warehouses=(world.yh, world.yh + 1))):
            with pytest.raises(Forbidden):
                actions.create_staff(tx, login="li", name="Li", role="care", limits=limits, by=by)
        with pytest.raises(Forbidden):
            actions.create_key(tx, name="k", scopes=["orders:read"], limits=EVERY, by=by)
        li = hire(tx, "li", Role.CARE, here, by=by)
        with pytest.raises(Forbidden):
            actions.change_staff(tx, li.id, name="Li", role="care", limits=EVERY, by=by)


def test_a_key_that_reaches_further_is_not_revoked(world: World, owner: Caller) -> None:
    tea = Limits(shops=(world.tea,))
    with world.work.begin() as tx:
        by = hire(tx, "mei", Role.OWNER, tea, by=owner).caller()
        for limits in (EVERY, Limits(shops=(world.tea, world.toys))):
            key = actions.create_key(tx, name="k", scopes=["orders:read"], limits=limits, by=owner).key
            assert not by.sees(key.caller())
            with pytest.raises(Forbidden):
                actions.revoke_key(tx, key.id, by=by)
        own = actions.create_key(tx, name="k", scopes=["orders:read"], limits=tea, by=owner).key
        assert by.sees(own.caller())
        actions.revoke_key(tx, own.id, by=by)
        with pytest.raises(Missing):
            actions.revoke_key(tx, own.id, by=by)


def test_what_all_shops_use_is_changed_only_by_who_has_every_one(world: World, owner: Caller) -> None:
    with world.work.begin() as tx:
        for nth, limits in enumerate((Limits(shops=(world.tea,)), Limits(every_shop=True, warehouses=(world.yh,)))):
            by = hire(tx, f"mei{nth}", Role.OWNER, limits, by=owner).caller()
            assert not by.may(P.SETUP_WRITE)
            assert by.may(P.SHOP_WRITE)
            assert by.may(P.SETUP_READ)
        with pytest.raises(Forbidden, match="every shop"):
            actions.create_key(tx, name="k", scopes=["setup:write"], limits=Limits(shops=(world.tea,)), by=owner)


def test_limits_name_what_is_there(world: World, owner: Caller) -> None:
    with world.work.begin() as tx:
        for path in ("shops", "warehouses"):
            limits = Limits(every_shop=path == "warehouses", **{path: (7777,)})
            with pytest.raises(Missing) as refusal:
                actions.create_staff(tx, login="li", name="Li", role="care", limits=limits, by=owner)
            assert refusal.value.path == path
        with pytest.raises(Missing):
            actions.create_key(tx, name="k", scopes=["orders:read"], limits=Limits(shops=(0,)), by=owner)


def test_a_key_rests_while_its_maker_is_switched_off(world: World, owner: Caller) -> None:
    with world.work.begin() as tx:
        mei = hire(tx, "mei", Role.OWNER, EVERY, by=owner)
        first = actions.create_key(tx, name="k", scopes=["people:write", "orders:read"], limits=EVERY, by=mei.caller())
        by_key = actions.find_key_caller(tx, first.secret)
        assert by_key is not None
        second = actions.create_key(tx, name="k", scopes=["orders:read"], limits=EVERY, by=by_key)

        actions.disable_staff(tx, mei.id, by=owner)
        assert actions.find_key_caller(tx, first.secret) is None
        assert actions.find_key_caller(tx, second.secret) is None
        actions.enable_staff(tx, mei.id, by=owner)
        assert actions.find_key_caller(tx, first.secret) is not None


def test_a_key_may_no_more_than_its_maker_may_now(world: World, owner: Caller) -> None:
    with world.work.begin() as tx:
        mei = hire(tx, "mei", Role.OWNER, EVERY, by=owner)
        made = actions.create_key(tx, name="k", scopes=["ship:write", "orders:read"], limits=EVERY, by=mei.caller())
        here = Limits(shops=(world.tea,), warehouses=(world.yh,))
        actions.change_staff(tx, mei.id, name="Mei", role="analyst", limits=here, by=owner)

        caller = actions.find_key_caller(tx, made.secret)
        assert caller is not None
        assert (caller.scopes, caller.shops, caller.warehouses) == (
            {P.ORDERS_READ},
            Shops.of([world.tea]),
            frozenset({world.yh}),
        )
