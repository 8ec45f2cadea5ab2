"""Two at once: whoever decides what an order is holds its row, so that the last to commit sees everything."""

import threading
from collections.abc import Callable

import pytest

from tests.parts.world import World, happened, move_parcel, order, put_parcel
from waystream.core.errors import Conflict
from waystream.kernel.tx import Tx
from waystream.parts.orders import actions

WAIT_S = 10


def at_once(world: World, *works: Callable[[Tx], object]) -> list[BaseException | None]:
    """Run each in a transaction of its own; all have done their first half before any derives."""
    errors: list[BaseException | None] = [None] * len(works)

    def run(at: int) -> None:
        try:
            world.work.run(works[at])
        except Conflict as error:
            errors[at] = error

    threads = [threading.Thread(target=run, args=[at]) for at in range(len(works))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return errors


def test_two_parcels_delivered_at_once_complete_their_order(world: World) -> None:
    with world.work.begin() as tx:
        [answer] = actions.accept(tx, [order()])
        for parcel_id in (1, 2):
            put_parcel(tx, answer.order_id, parcel_id=parcel_id, state="in_transit")
        actions.derive(tx, [answer.order_id])
    both = threading.Barrier(2)

    def deliver(parcel_id: int) -> Callable[[Tx], None]:
        def work(tx: Tx) -> None:
            move_parcel(tx, parcel_id, state="delivered", kind="in_person")
            both.wait(WAIT_S)
            actions.derive(tx, [answer.order_id])

        return work

    assert at_once(world, deliver(1), deliver(2)) == [None, None]
    with world.work.begin() as tx:
        assert tx.conn.execute("SELECT word FROM orders").fetchone() == ("completed",)
        assert [name for name, _, _ in happened(tx)].count("OrderCompleted") == 1


def test_an_order_is_cancelled_or_dispatched_and_never_both(world: World) -> None:
    """Dispatch locks the order first as well: the cancel that comes second sees the parcel gone."""
    with world.work.begin() as tx:
        [answer] = actions.accept(tx, [order()])
        put_parcel(tx, answer.order_id, parcel_id=1, stage="printed")
    locked = threading.Event()

    def dispatch(tx: Tx) -> None:
        tx.conn.execute("SELECT FROM orders WHERE id = %s FOR NO KEY UPDATE", [answer.order_id])
        locked.set()
        tx.conn.execute("UPDATE parcel SET stage = 'dispatched'")

    def cancel(tx: Tx) -> None:
        locked.wait(WAIT_S)
        actions.cancel(tx, [answer.order_id], reason="x", actor="staff:1")

    _, refused = at_once(world, dispatch, cancel)
    assert isinstance(refused, Conflict)


@pytest.mark.parametrize("many", [40])
def test_batches_that_overlap_do_not_deadlock(world: World, many: int) -> None:
    numbers = [f"N{n}" for n in range(many)]

    def tell(order_of: list[str]) -> Callable[[Tx], object]:
        return lambda tx: actions.accept(tx, [order(number, declared_fen=len(order_of)) for number in order_of])

    assert at_once(world, *(tell(part) for part in (numbers, numbers[::-1], numbers[5:30]))) == [None] * 3
    with world.work.begin() as tx:
        assert tx.conn.execute("SELECT count(*), count(DISTINCT number) FROM orders").fetchone() == (many, many)
        assert tx.conn.execute(
            "SELECT count(*) FROM person WHERE id NOT IN (SELECT person_id FROM orders)"
        ).fetchone() == (0,)
