"""A buyer moves an order that has not left; what the shop tells afterwards."""

import pytest

from tests.parts.world import World, order, put_parcel, raw_order
from waystream.core.errors import Conflict, Invalid
from waystream.kernel.tx import Tx
from waystream.parts.orders import actions, people
from waystream.parts.orders.form import parse_order
from waystream.parts.orders.readdressing import parse_place, readdress

NINGBO = {"province": "浙江省", "city": "宁波市", "district": "鄞州区", "address": "新路 9 号"}


def _goes_to(tx: Tx, order_id: int) -> str:
    [(person_id,)] = tx.conn.execute("SELECT person_id FROM orders WHERE id = %s", [order_id]).fetchall()
    contact = people.open_person(tx, person_id).contact
    return f"{contact.name} {contact.mobile} {contact.city} {contact.address}"


def _taken(tx: Tx) -> int:
    [taken] = actions.accept(tx, [order("A1")])
    return taken.order_id


def _told_again(tx: Tx, **receiver: str) -> list[str]:
    raw = raw_order("A1")
    [answer] = actions.accept(tx, [parse_order(raw | {"receiver": raw["receiver"] | receiver})])
    return [axis.value for axis in answer.changed]


def test_the_same_person_at_another_place_and_the_event_that_makes_a_new_label(world: World) -> None:
    with world.work.begin() as tx:
        order_id = _taken(tx)
        assert readdress(tx, order_id, parse_place(**NINGBO), actor="buyer")
        assert _goes_to(tx, order_id) == "罗小明 15812346021 宁波市 新路 9 号"
        assert not readdress(tx, order_id, parse_place(**NINGBO), actor="buyer")
        assert tx.conn.execute("SELECT body -> 'what' FROM event WHERE name = 'OrderChanged'").fetchall() == [
            (["address"],)]  # fmt: skip


def test_hearing_the_old_address_again_takes_nothing_back_and_a_new_one_replaces_it(world: World) -> None:
    with world.work.begin() as tx:
        order_id = _taken(tx)
        readdress(tx, order_id, parse_place(**NINGBO), actor="buyer")
        assert _told_again(tx) == []
        assert "宁波市" in _goes_to(tx, order_id)
        assert _told_again(tx, address="别处 1 号") == ["address"]
        assert _goes_to(tx, order_id) == "罗小明 15812346021 成都市 别处 1 号"


def test_what_has_left_or_was_cancelled_stays_where_it_goes(world: World) -> None:
    with world.work.begin() as tx:
        order_id = _taken(tx)
        put_parcel(tx, order_id, parcel_id=71, stage="dispatched")
        actions.derive(tx, [order_id])
        with pytest.raises(Conflict, match="cannot be changed"):
            readdress(tx, order_id, parse_place(**NINGBO), actor="buyer")
        [other] = actions.accept(tx, [order("A2")])
        actions.cancel(tx, [other.order_id], reason="test", actor="staff:1")
        with pytest.raises(Conflict, match="cannot be changed"):
            readdress(tx, other.order_id, parse_place(**NINGBO), actor="buyer")


@pytest.mark.parametrize(
    ("field", "text"),
    [("province", ""), ("city", "x" * 33), ("district", "x" * 33), ("address", " "), ("address", "x" * 201)],
)
def test_an_address_is_bounded_at_the_door(field: str, text: str) -> None:
    with pytest.raises(Invalid) as refused:
        parse_place(**{**NINGBO, field: text})
    assert refused.value.path == field
