"""A hub that holds a thousand parcels is one incident, and none of them has a ticket of its own."""

from datetime import timedelta

from tests.parts.tracking.conftest import Push, Rows, push, rows, shop, work
from tests.parts.tracking.given import Shop, at, bind_parcels, told, trace
from waystream.kernel import log
from waystream.kernel.clock import FixedClock
from waystream.kernel.dispatcher import Dispatcher
from waystream.kernel.tx import Work
from waystream.parts.silence import actions as silence
from waystream.rules import slowdown_explains_stalled_parcels, slowdown_is_one_incident, stalled_parcel_opens_ticket

__all__ = ["push", "rows", "shop", "work"]

PARCELS, A_PUSH = 1_000, 100
HUB = "快件离开【杭州转运中心】，已发往【成都转运中心】"
RULES = [slowdown_explains_stalled_parcels, slowdown_is_one_incident, stalled_parcel_opens_ticket]
STEP = timedelta(hours=1)


def test_a_thousand_parcels_in_one_hub_are_one_incident(
    work: Work, shop: Shop, push: Push, rows: Rows, clock: FixedClock
) -> None:
    numbers = [f"S{n:04d}" for n in range(PARCELS)]
    work.run(lambda tx: bind_parcels(tx.conn, shop, numbers))
    for first in range(0, PARCELS, A_PUSH):
        left = numbers[first : first + A_PUSH]
        push(*(told(number, 14, trace(8 + 4 * (first + n) / PARCELS, "2", HUB)) for n, number in enumerate(left)))
    dispatcher = Dispatcher(work, RULES)
    clock.jump(at(8 + 72))
    while clock.now() < at(8 + 72 + 24):
        clock.advance(STEP)
        work.run(lambda tx: silence.watch(tx, wait=STEP))
        while work.database.run(log.sequence) + dispatcher.drain():
            pass
    assert rows("SELECT state, count(*), count(slowdown_id) FROM silence GROUP BY state") == [
        ("stalled", PARCELS, PARCELS)
    ]
    assert rows("SELECT carrier, place, ended_at FROM slowdown") == [("YTO", "成都转运中心", None)]
    assert rows("SELECT cause, state, parcel_id, times FROM ticket") == [("incident", "open", None, 1)]
