"""Slow-downs: many silences that are one thing. They begin, take in parcels, and end when it flows again.

Guaranteed: a shop is told once that one began and once that it ended, and only of those with parcels of its own; a
parcel that is stalled still when its slow-down ends, or for far longer than that explains, is told as stalled again.
"""

from waystream.core.events.silence import SlowdownBegan, SlowdownEnded
from waystream.kernel.tx import Tx
from waystream.parts.silence import slowness, store_history, store_slowdowns
from waystream.parts.silence.model import stalled
from waystream.parts.silence.slowness import EXPLAINS_TIMES, QUIET_FOR, UNKNOWN_RATE, WINDOW, Rules


def watch(tx: Tx, rules: Rules) -> int:
    """End what flows again, begin what slows down, take in what belongs to it; how many changed."""
    silent = store_slowdowns.count_silent(tx.conn, since=tx.now - WINDOW)
    courses = store_slowdowns.list_courses(tx.conn, fresh_since=tx.now - QUIET_FOR)
    if not silent and not courses:
        return 0
    places = {place for _, place in silent} | {course.place for course in courses}
    flows = store_slowdowns.list_flows(tx.conn, places)
    rate = store_history.get_book(tx.conn).expected or UNKNOWN_RATE

    over = slowness.list_over(courses, flows, rate=rate, now=tx.now)
    known = {(course.carrier, course.place) for course in courses if course not in over}
    began = slowness.find_slow(silent, flows, rate=rate, rules=rules, known=known)

    _end(tx, [course.id for course in over])
    store_slowdowns.insert_slowdowns(tx.conn, began, at=tx.now)
    attached = store_slowdowns.attach(tx.conn, window_s=WINDOW.total_seconds())

    _tell_of_new(tx)
    alone = store_slowdowns.let_out(tx.conn, longer=EXPLAINS_TIMES, now=tx.now)
    tx.emit(*map(stalled, alone))
    return len(over) + len(began) + attached + len(alone)


def _tell_of_new(tx: Tx) -> None:
    untold = store_slowdowns.list_untold(tx.conn)
    if not untold:
        return
    store_slowdowns.insert_told(tx.conn, untold, at=tx.now)
    tx.emit(
        *(
            SlowdownBegan(shop_id=row.shop_id, slowdown_id=row.slowdown_id, carrier=row.carrier, place=row.place,
                          parcels=row.parcels)
            for row in untold
        )
    )  # fmt: skip


def _end(tx: Tx, slowdown_ids: list[int]) -> None:
    if not slowdown_ids:
        return
    told = store_slowdowns.list_told(tx.conn, slowdown_ids)
    left = store_slowdowns.end(tx.conn, slowdown_ids, at=tx.now)
    tx.emit(
        *(
            SlowdownEnded(shop_id=row.shop_id, slowdown_id=row.slowdown_id, carrier=row.carrier, place=row.place,
                          parcels=row.parcels)
            for row in told
        ),
        *map(stalled, left),
    )  # fmt: skip


def list_parcels(tx: Tx, slowdown_id: int) -> list[int]:
    """The parcels it explains: those in it that are silent still."""
    return store_slowdowns.list_parcels(tx.conn, slowdown_id)
