"""The invariants of silence hold in its own runs, and see what breaks them."""

from collections.abc import Callable
from datetime import timedelta

from tests.parts.silence.conftest import WAIT
from tests.parts.tracking.conftest import Push
from tests.parts.tracking.given import Bound, at, told, trace
from waystream.invariants import slowdown_is_told_to_its_shops, stalled_was_asked_for
from waystream.kernel import log, rule_cursor
from waystream.kernel.clock import FixedClock
from waystream.kernel.tx import Work
from waystream.parts.tracking import outages


def broken(work: Work, sql: str) -> list[str]:
    with work.begin() as tx:
        return [row[-1] for row in tx.conn.execute(sql).fetchall()]


def test_a_stalled_parcel_nobody_was_asked_for_is_seen(
    work: Work, parcel: Bound, push: Push, clock: FixedClock, sweep: Callable[[], int]
) -> None:
    clock.jump(at(58))
    work.run(lambda tx: tx.conn.execute("UPDATE binding SET bound_at = owns_from"))
    push(told("YT1", 10, trace(8, "1")))
    sweep()
    clock.advance(WAIT + timedelta(minutes=1))
    sweep()
    work.run(lambda tx: log.sequence(tx.conn))
    rule = "overdue_scan_is_asked_for"
    work.run(lambda tx: rule_cursor.register(tx.conn, rule, from_beginning=False, at=tx.now))
    assert broken(work, stalled_was_asked_for.SQL) == ["nobody was asked"]
    work.run(lambda tx: outages.ask_for(tx, [parcel.parcel_id]))
    assert broken(work, stalled_was_asked_for.SQL) == []


def test_a_shop_that_was_not_told_is_seen(
    work: Work, parcel: Bound, push: Push, clock: FixedClock, sweep: Callable[[], int]
) -> None:
    push(told("YT1", 10, trace(8, "1")))
    clock.jump(at(58))
    sweep()
    work.run(
        lambda tx: tx.conn.execute(
            """WITH made AS (INSERT INTO slowdown (carrier, place, began_at, silent, expected)
                             VALUES ('YTO', 'x', %s, 1, 0) RETURNING id)
               UPDATE silence SET slowdown_id = made.id FROM made""",
            [tx.now],
        )
    )
    assert broken(work, slowdown_is_told_to_its_shops.SQL) == ["the shop was not told"]
    sweep()
    assert broken(work, slowdown_is_told_to_its_shops.SQL) == []
