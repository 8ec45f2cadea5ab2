"""Numbers bound by hand, at the same time as others, and what people type as one; nobody gets round a doubt."""

import threading
import time
from datetime import timedelta

import pytest

from tests.parts.fulfilment.bench import Bench, in_thread, paste_at_once
from waystream.core.errors import Conflict, Invalid
from waystream.core.ports import Taken
from waystream.kernel.tx import Tx
from waystream.parts.fulfilment import actions, store_takes, takes
from waystream.parts.fulfilment.model import DOUBT_S
from waystream.parts.fulfilment.store_takes import NewBinding
from waystream.parts.orders import actions as orders


def asked(bench: Bench, *numbers: str, **given: object) -> list[int]:
    """A parcel for each order, whose number is not there yet."""
    return [answer.parcel_ids[0] for answer in bench.ship(*bench.orders(*numbers), **given)]


def bind(
    tx: Tx, parcel_id: int, number: str = "YT9999", *, carrier: str = "YTO", children: tuple[str, ...] = ()
) -> str:
    try:
        actions.bind_foreign(tx, parcel_id, carrier=carrier, number=number, actor="staff:1", children=children)
    except (Conflict, Invalid) as refusal:
        return type(refusal).__name__
    return "bound"


def test_one_number_pasted_twice_at_once_is_bound_once(bench: Bench) -> None:
    """The second has looked before the first was there; the database refuses it."""
    one, other = asked(bench, "A1", "A2")
    bound = threading.Event()

    def bind_slowly() -> None:
        with bench.work.begin() as tx:
            bind(tx, one)
            bound.set()
            wait_until_somebody_waits(tx)

    with in_thread(bind_slowly):
        assert bound.wait(10)
        assert bench.run(lambda tx: bind(tx, other)) == "Conflict"
    assert bench.rows("SELECT parcel_id, state, owns_until FROM binding") == [(one, "live", None)]


def wait_until_somebody_waits(tx: Tx) -> None:
    for _ in range(1000):
        [waiting] = tx.conn.execute("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)").fetchone()
        if waiting:
            return
        time.sleep(0.01)


def test_whoever_looked_too_early_does_not_end_the_others_binding(bench: Bench) -> None:
    """Between looking whose number it is and binding it, another transaction bound it and committed."""
    one, other = asked(bench, "A1", "A2")
    bench.run(lambda tx: bind(tx, one))

    def bind_blindly(tx: Tx) -> None:
        [row] = tx.conn.execute("SELECT aggregator_id, shop_id, owns_from FROM binding").fetchall()
        late = NewBinding(1, other, row[1], None, row[0], "YTO", "YT9999", row[2])
        store_takes.insert_bindings(tx.conn, [late], at=tx.now)

    with pytest.raises(Conflict):
        bench.run(bind_blindly)
    assert bench.rows("SELECT parcel_id, state, owns_until FROM binding") == [(one, "live", None)]


def test_a_number_is_given_out_anew_when_its_journey_ended(bench: Bench) -> None:
    """Also when the rule that notes the end on the binding is behind the track."""
    one, other = asked(bench, "A1", "A2")
    bench.run(lambda tx: bind(tx, one))
    bench.run(
        lambda tx: tx.conn.execute(
            """INSERT INTO track (parcel_id, shop_id, binding_id, state, changed_at)
               SELECT parcel_id, shop_id, id, 'delivered', bound_at FROM binding"""
        )
    )
    bench.clock.advance(timedelta(days=3))
    assert bench.run(lambda tx: bind(tx, other)) == "bound"
    begins = bench.rows("SELECT owns_from FROM binding WHERE parcel_id = %s", other)
    assert bench.rows("SELECT owns_until FROM binding WHERE parcel_id = %s", one) == begins
    assert bench.broken() == []


def test_two_live_bindings_of_one_number_are_seen(bench: Bench) -> None:
    one, other = asked(bench, "A1", "A2")
    bench.run(lambda tx: bind(tx, one))
    bench.run(lambda tx: bind(tx, other, "YT9998"))
    with bench.rolled_back() as conn:
        conn.execute("UPDATE binding SET owns_until = owns_from WHERE parcel_id = %s", [one])
        conn.execute("UPDATE binding SET number = 'YT9999' WHERE parcel_id = %s", [other])
        assert bench.broken(conn) == ["number YT9999 of YTO is live for 2 parcels"]


@pytest.mark.parametrize(
    ("number", "carrier", "children"),
    [("YT1234", "YTO", ("YT1235",)), ("yt1234", "YTO", ("YT1234",)), ("YT1234", "<b>", ()), ("YT1234", "\u202eOTY", ()),
     ("YT1234", "", ()), ("YT 1234", "YTO", ())],
)  # fmt: skip
def test_what_is_no_number_or_carrier_is_invalid(
    bench: Bench, number: str, carrier: str, children: tuple[str, ...]
) -> None:
    [parcel_id] = asked(bench, "A1")
    said = bench.run(lambda tx: bind(tx, parcel_id, number, carrier=carrier, children=children))
    assert said == "Invalid"
    assert bench.bindings() == []


def test_a_carrier_is_written_one_way(bench: Bench) -> None:
    [parcel_id] = asked(bench, "A1")
    assert bench.run(lambda tx: bind(tx, parcel_id, "yt1234", carrier=" yto ")) == "bound"
    assert bench.rows("SELECT carrier, number FROM binding") == [("YTO", "YT1234")]
    [order_id] = bench.orders("A2")
    bench.run(lambda tx: actions.ship_with_number(tx, order_id, carrier="zto", number="z1234", actor="staff:1"))
    assert bench.rows("SELECT carrier, number FROM binding ORDER BY id DESC LIMIT 1") == [("ZTO", "Z1234")]


def test_a_void_parcel_does_not_claim_again_what_another_holds(bench: Bench) -> None:
    [order_id] = bench.orders("A1")
    [void] = bench.ship(order_id)[0].parcel_ids
    bench.drain()
    bench.carrier.cancel_outcomes = ["unsupported"]
    bench.run(lambda tx: actions.void(tx, [void], reason="wrong", actor="staff:1"))
    bench.drain()
    [good] = bench.ship(order_id)[0].parcel_ids
    bench.drain()
    with pytest.raises(Conflict, match="void"):
        bench.run(lambda tx: actions.reissue(tx, void, reason="again", actor="staff:1"))
    assert bench.run(lambda tx: bind(tx, void)) == "Conflict"
    bench.follow(order_id)
    assert (bench.stage(good), bench.stage(void)) == (("issued", ""), ("voided", ""))
    assert bench.broken() == []


def test_a_parcel_in_doubt_is_not_voided_to_ask_elsewhere(bench: Bench) -> None:
    """The number may exist: what may be asked again elsewhere is the same for void as for reissue."""
    [order_id] = bench.orders("A1")
    bench.carrier.faults = ["lost after"]
    [answer] = bench.ship(order_id)
    bench.run_once()
    [parcel_id] = answer.parcel_ids

    def void() -> None:
        bench.run(lambda tx: actions.void(tx, [parcel_id], reason="wrong", actor="staff:1"))

    with pytest.raises(Conflict, match="wait"):
        void()
    assert [shipped.outcome for shipped in bench.ship(order_id, carrier="ZTO")] == ["already"]

    bench.clock.advance(timedelta(seconds=DOUBT_S))
    void()
    assert bench.stage(parcel_id) == ("voided", "")
    bench.drain()
    assert bench.carrier.alive() == set()


@pytest.mark.parametrize("told", [True, False])
def test_goods_in_doubt_are_not_shipped_elsewhere_in_another_parcel(bench: Bench, told: bool) -> None:
    """Held in doubt, then voided by a person, or shipped again before the rule has read that the order goes on."""
    [order_id] = bench.orders("A1")
    bench.carrier.faults = ["lost after"]
    [answer] = bench.ship(order_id)
    bench.run_once()
    bench.run(lambda tx: orders.hold(tx, [order_id], reason="check", actor="staff:1"))
    bench.follow(order_id)
    if told:
        bench.run(lambda tx: actions.void(tx, answer.parcel_ids, reason="wrong", actor="staff:1"))
    bench.run(lambda tx: orders.release(tx, [order_id], reason="fine", actor="staff:1"))

    [again] = bench.ship(order_id, carrier="ZTO")
    assert (again.outcome, again.why) == ("refused", "doubt")
    assert bench.rows("SELECT count(*) FROM parcel") == [(1,)]

    bench.drain()
    bench.ship(order_id, carrier="ZTO")
    bench.drain()
    assert bench.carrier.alive() == {"YT0002"}


def test_who_looked_before_another_bound_binds_nothing(bench: Bench) -> None:
    assert paste_at_once(bench, *asked(bench, "A1", "A2"), "SF0001") == ["bound", "Conflict"]
    assert bench.bindings() == [("SF0001", "live")]
    assert bench.broken() == []


def test_two_answers_with_one_number_at_once_bind_it_once(bench: Bench) -> None:
    """The second is rolled back; told again, it is a conflict for a person."""
    asked(bench, "A1", "A2")
    first, second = (row[0] for row in bench.rows("SELECT id FROM take ORDER BY id"))
    for take_id in (first, second):
        bench.run(lambda tx, take_id=take_id: takes.begin(tx, take_id))
    bound = threading.Event()

    def settle_slowly() -> None:
        with bench.work.begin() as tx:
            takes.settle(tx, first, Taken("YT7"))
            bound.set()
            wait_until_somebody_waits(tx)

    with in_thread(settle_slowly):
        assert bound.wait(10)
        with pytest.raises(Conflict):
            bench.run(lambda tx: takes.settle(tx, second, Taken("YT7")))
    bench.run(lambda tx: takes.settle(tx, second, Taken("YT7")))
    assert bench.bindings() == [("YT7", "live")]
    assert bench.takes() == [("bound", "YT7"), ("conflict", "YT7")]
    assert bench.broken() == []
