"""The order's word on the real database: what parcels do to it, and what cannot be undone."""

from datetime import timedelta
from typing import Any

import pytest

from tests.parts.world import World, counts, happened, move_parcel, order, put_parcel
from waystream.core.errors import Conflict, Invalid, Missing
from waystream.core.events.fulfilment import ParcelDispatched
from waystream.core.events.tracking import Delivered
from waystream.core.order import Word
from waystream.core.state import Direction, Kind, State
from waystream.invariants import every_shop_table_is_held, order_word_equals_its_parcels
from waystream.kernel.clock import FixedClock
from waystream.kernel.log import Recorded
from waystream.kernel.tx import Tx
from waystream.parts.orders import actions
from waystream.rules import parcel_moves_order

TWO_LINES = [{"sku": "A", "name": "a", "quantity": 2}, {"sku": "B", "name": "b", "quantity": 1}]


def accepted(tx: Tx, number: str = "A1", **given: Any) -> int:
    [answer] = actions.accept(tx, [order(number, **given)])
    return answer.order_id


def word_of(tx: Tx, order_id: int) -> tuple[str, str]:
    return tx.conn.execute("SELECT word, dispatch FROM orders WHERE id = %s", [order_id]).fetchone()


def delivered(tx: Tx, *, kind: str = "in_person", **given: Any) -> int:
    order_id = accepted(tx, **given)
    put_parcel(tx, order_id, parcel_id=order_id, state="delivered", kind=kind)
    actions.derive(tx, [order_id])
    return order_id


def trust(tx: Tx, *kinds: str) -> None:
    tx.conn.execute("UPDATE shop SET trusted_kinds = %s", [list(kinds)])


def test_each_step_is_one_movement_and_repeating_it_none(world: World) -> None:
    with world.work.begin() as tx:
        trust(tx)
        order_id = accepted(tx)
        put_parcel(tx, order_id, parcel_id=1, stage="printed")
        actions.derive(tx, [order_id])
        assert word_of(tx, order_id) == ("to_ship", "none")
        tx.conn.execute("UPDATE parcel SET stage = 'dispatched'")
        words = []
        for state in (None, "awaiting_collection", "in_transit", "out_for_delivery", "delivered"):
            if state:
                move_parcel(tx, 1, state=state, kind="in_person" if state == "delivered" else "")
            actions.derive(tx, [order_id])
            actions.derive(tx, [order_id])
            words.append(word_of(tx, order_id)[0])
        assert words == ["shipped", "shipped", "in_transit", "out_for_delivery", "delivered"]
        assert happened(tx)[1:] == [
            ("OrderMoved", f"order:{order_id}", {"before": before, "after": after})
            for before, after in (
                ("to_ship", "shipped"),
                ("shipped", "in_transit"),
                ("in_transit", "out_for_delivery"),
                ("out_for_delivery", "delivered"),
            )
        ]


def test_part_of_the_lines_is_part_of_the_order(world: World) -> None:
    with world.work.begin() as tx:
        order_id = accepted(tx, lines=TWO_LINES)
        put_parcel(tx, order_id, parcel_id=1, quantity=1, state="delivered", kind="in_person")
        actions.derive(tx, [order_id])
        assert word_of(tx, order_id) == ("part_delivered", "part")
        line_ids = [row[0] for row in tx.conn.execute("SELECT id FROM order_line ORDER BY line_no")]
        put_parcel(tx, order_id, parcel_id=2, quantity=1, state="in_transit")
        tx.conn.execute("INSERT INTO parcel_line VALUES (2, %s, %s, 1)", [line_ids[1], world.tea])
        actions.derive(tx, [order_id])
        assert word_of(tx, order_id) == ("part_delivered", "all")
        assert tx.conn.execute("SELECT completed_at FROM orders").fetchone() == (None,)


def test_more_than_ordered_of_one_line_does_not_ship_another(world: World) -> None:
    with world.work.begin() as tx:
        order_id = accepted(tx, lines=TWO_LINES)
        put_parcel(tx, order_id, parcel_id=1, quantity=3, state="in_transit")
        actions.derive(tx, [order_id])
        assert word_of(tx, order_id)[1] == "part"


def test_a_voided_parcel_is_no_part_of_the_order(world: World) -> None:
    with world.work.begin() as tx:
        order_id = accepted(tx)
        put_parcel(tx, order_id, parcel_id=1, stage="voided", state="delivered")
        actions.derive(tx, [order_id])
        assert word_of(tx, order_id) == ("to_ship", "none")


def test_a_trusted_delivery_completes_at_once(world: World) -> None:
    with world.work.begin() as tx:
        order_id = delivered(tx)
        assert word_of(tx, order_id) == ("completed", "all")
        assert [name for name, _, _ in happened(tx)] == ["OrderReceived", "OrderMoved", "OrderCompleted"]
        assert happened(tx)[-1][2]["by"] == "policy"


def test_a_delivery_nobody_explained_counts_as_unspecified(world: World) -> None:
    with world.work.begin() as tx:
        trust(tx, "unspecified")
        assert word_of(tx, delivered(tx, kind="")) == ("completed", "all")


def test_a_retracted_delivery_reopens_what_the_policy_completed(world: World) -> None:
    with world.work.begin() as tx:
        order_id = delivered(tx)
        move_parcel(tx, order_id, state="out_for_delivery")
        actions.derive(tx, [order_id])
        assert word_of(tx, order_id) == ("out_for_delivery", "all")
        assert tx.conn.execute("SELECT completed_at, completed_by, delivered_at FROM orders").fetchone() == (
            None,
            "",
            None,
        )
        assert happened(tx)[-1] == (
            "OrderMoved",
            f"order:{order_id}",
            {"before": "completed", "after": "out_for_delivery"},
        )


@pytest.mark.parametrize("by", ["buyer", "person"])
def test_a_retracted_delivery_leaves_what_somebody_confirmed(world: World, by: str) -> None:
    with world.work.begin() as tx:
        order_id = delivered(tx)
        actions.confirm(tx, order_id, by=by, actor="staff:1")
        move_parcel(tx, order_id, state="returning", direction="back")
        actions.derive(tx, [order_id])
        assert word_of(tx, order_id) == ("completed", "all")


def test_the_days_complete_what_waits(world: World, clock: FixedClock) -> None:
    with world.work.begin() as tx:
        trust(tx, "in_person")
        order_id = delivered(tx, kind="locker")
        assert word_of(tx, order_id) == ("delivered", "all")
        assert actions.complete_after_days(tx) == 0
    clock.advance(timedelta(days=7))
    with world.work.begin() as tx:
        assert actions.complete_after_days(tx) == 1
        assert actions.complete_after_days(tx) == 0
        assert word_of(tx, order_id) == ("completed", "all")
        assert [(name, body.get("by", "")) for name, _, body in happened(tx)[-2:]] == [
            ("OrderMoved", ""),
            ("OrderCompleted", "days"),
        ]


def test_confirming_is_one_event_and_not_before_it_left(world: World) -> None:
    with world.work.begin() as tx:
        trust(tx)
        waiting = accepted(tx, "W")
        with pytest.raises(Conflict):
            actions.confirm(tx, waiting, by="buyer", actor="system")
        order_id = delivered(tx, number="D")
        for _ in range(2):
            actions.confirm(tx, order_id, by="buyer", actor="system")
        assert [body["by"] for name, _, body in happened(tx) if name == "OrderCompleted"] == ["buyer"]


def test_cancelling_closes_once_with_its_reason(world: World) -> None:
    with world.work.begin() as tx:
        order_id = accepted(tx)
        assert actions.cancel(tx, [order_id], reason=" 买家不要了 ", actor="staff:7") == [order_id]
        assert actions.cancel(tx, [order_id], reason="again", actor="staff:7") == []
        assert happened(tx)[1:] == [
            ("OrderCancelled", f"order:{order_id}", {"reason": "买家不要了"}),
            ("OrderMoved", f"order:{order_id}", {"before": "to_ship", "after": "closed"}),
        ]
        assert tx.conn.execute("SELECT actor, action, subject, shop_id, reason FROM audit").fetchall() == [
            ("staff:7", "cancel", f"order:{order_id}", world.tea, "买家不要了")
        ]
        assert counts(tx, "job") == {"job": 0}


def test_what_left_is_not_cancelled_and_neither_is_anything_beside_it(world: World) -> None:
    with world.work.begin() as tx:
        gone, waiting = accepted(tx, "G"), accepted(tx, "W")
        put_parcel(tx, gone, parcel_id=1)
        with pytest.raises(Conflict):
            actions.cancel(tx, [waiting, gone], reason="x", actor="staff:7")
        assert word_of(tx, waiting) == ("to_ship", "none")
        assert counts(tx, "audit") == {"audit": 0}


def test_hold_and_release(world: World) -> None:
    with world.work.begin() as tx:
        order_id = accepted(tx)
        assert actions.hold(tx, [order_id], reason="地址待确认", actor="staff:7") == [order_id]
        assert actions.hold(tx, [order_id], reason="again", actor="staff:7") == []
        assert tx.conn.execute("SELECT hold_reason, held_at IS NOT NULL FROM orders").fetchone() == ("地址待确认", True)
        assert actions.release(tx, [order_id], reason="ok", actor="staff:7") == [order_id]
        assert actions.release(tx, [order_id], reason="ok", actor="staff:7") == []
        assert happened(tx)[1:] == [
            ("OrderHeld", f"order:{order_id}", {"reason": "地址待确认"}),
            ("OrderReleased", f"order:{order_id}", {}),
        ]


def test_a_reason_and_an_order_are_needed(world: World) -> None:
    with world.work.begin() as tx:
        order_id = accepted(tx)
        for act in (actions.cancel, actions.hold, actions.release):
            with pytest.raises(Invalid):
                act(tx, [order_id], reason="  ", actor="staff:7")
            with pytest.raises(Missing):
                act(tx, [order_id, 1], reason="x", actor="staff:7")


def test_the_rule_moves_every_order_of_the_parcel_with_its_cause(world: World) -> None:
    with world.work.begin() as tx:
        trust(tx)
        one, two = accepted(tx, "1"), accepted(tx, "2")
        put_parcel(tx, one, parcel_id=9, state="delivered", kind="in_person")
        tx.conn.execute("INSERT INTO parcel_order (parcel_id, order_id, shop_id) VALUES (9, %s, %s)", [two, world.tea])
        tx.conn.execute(
            "INSERT INTO parcel_line SELECT 9, id, shop_id, quantity FROM order_line WHERE order_id = %s", [two]
        )
        dispatched = ParcelDispatched(shop_id=world.tea, parcel_id=9, order_ids=(one, two), by="scan", at=tx.now)
        signed = Delivered(
            shop_id=world.tea,
            parcel_id=9,
            before=State.IN_TRANSIT,
            after=State.DELIVERED,
            kind=Kind.IN_PERSON,
            direction=Direction.OUT,
            at=tx.now,
            because="scan:1",
        )
        assert {type(dispatched), type(signed)} <= set(parcel_moves_order.WHEN)

        parcel_moves_order.do(tx, [Recorded(4, 1, tx.now, dispatched), Recorded(5, 2, tx.now, signed)])
        assert word_of(tx, one) == word_of(tx, two) == ("delivered", "all")
        assert tx.conn.execute("SELECT subject, cause FROM event WHERE name = 'OrderMoved' ORDER BY id").fetchall() == [
            (f"order:{one}", "event:5/1"),
            (f"order:{two}", "event:5/1"),
        ]


def test_the_list_sorts_by_the_last_movement(world: World, clock: FixedClock) -> None:
    with world.work.begin() as tx:
        order_id = accepted(tx)
        put_parcel(tx, order_id, parcel_id=1, state="in_transit")
    clock.advance(timedelta(hours=3))
    with world.work.begin() as tx:
        move_parcel(tx, 1, state="in_transit")
        actions.derive(tx, [order_id])
        assert tx.conn.execute("SELECT moved_at FROM orders").fetchone() == (clock.now(),)


def test_the_invariants_hold_and_see_what_breaks_them(world: World) -> None:
    with world.work.begin() as tx:
        order_id = delivered(tx)
        assert order_word_equals_its_parcels.broken(tx) == []
        tx.conn.execute("UPDATE orders SET word = 'in_transit'")
        assert order_word_equals_its_parcels.broken(tx) == [f"order {order_id} has another word than its parcels"]
        put_parcel(tx, accepted(tx, "B"), parcel_id=2)
        tx.emit(ParcelDispatched(shop_id=world.tea, parcel_id=2, order_ids=(), by="scan", at=tx.now))
        assert len(order_word_equals_its_parcels.broken(tx)) == 1
        assert tx.conn.execute(every_shop_table_is_held.SQL).fetchall() == []


def test_what_would_follow_is_foreseen_and_not_written(world: World) -> None:
    with world.work.begin() as tx:
        trust(tx)
        moving, staying = accepted(tx), accepted(tx, number="A2")
        put_parcel(tx, moving, parcel_id=1, state="unknown")
        put_parcel(tx, staying, parcel_id=2, state="in_transit")
        actions.derive(tx, [moving, staying])
        before = counts(tx, "event")
        told = actions.foresee(tx, {1: ("delivered", "in_person", "out"), 2: ("arrived_at_outlet", "", "out")})
        assert told == [actions.Moving(moving, Word.SHIPPED, Word.DELIVERED)]
        assert word_of(tx, moving) == ("shipped", "all")
        assert counts(tx, "event") == before
