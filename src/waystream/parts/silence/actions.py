"""What is done about silence: who is overdue is asked for, who stays silent is stalled, who is scanned again stirred.

Guaranteed: a silence is told as stalled only after the carrier network was asked and brought nothing new, or did not
answer in time; every stalled parcel that is scanned again is told as stirred.
"""

from collections.abc import Collection, Mapping
from datetime import timedelta

from waystream.core.events.silence import ParcelStirred, ScanOverdue
from waystream.kernel.tx import Tx
from waystream.parts.silence import slowdowns, store
from waystream.parts.silence.model import stalled, state_after
from waystream.parts.silence.slowness import Rules

FOUND_AT_ONCE = 500
JUDGED_AT_ONCE = 1_000


def watch(tx: Tx, *, wait: timedelta, rules: Rules | None = None) -> int:
    """Find what is overdue, see what slows down, judge what lasts; how many changed.

    `wait` is for the network's answer. A slow-down is seen before its parcels are judged: who is in it is not alarmed
    one by one.
    """
    return find(tx) + slowdowns.watch(tx, rules or Rules()) + judge(tx, wait=wait)


def find(tx: Tx) -> int:
    """Parcels whose scan is overdue: a rule has the carrier network asked for them."""
    overdue = store.list_overdue(tx.conn, now=tx.now, limit=FOUND_AT_ONCE)
    if not overdue:
        return 0

    store.insert_silences(tx.conn, overdue, at=tx.now)

    tx.emit(
        *(
            ScanOverdue(shop_id=row.shop_id, parcel_id=row.parcel_id, silent_since=row.silent_since, due_at=row.due_at)
            for row in overdue
        )
    )
    return len(overdue)


def judge(tx: Tx, *, wait: timedelta) -> int:
    """What became of open silences: heard in time, stalled, stirred, or over."""
    silences = store.list_open(tx.conn, waited_since=tx.now - wait, limit=JUDGED_AT_ONCE)

    states = [(silence, state_after(silence, now=tx.now, wait=wait)) for silence in silences]
    changed = [(silence, state) for silence, state in states if state != silence.state]
    if not changed:
        return 0

    store.set_states(tx.conn, [(silence.id, state) for silence, state in changed], at=tx.now)

    tx.emit(
        *(stalled(each) for each, state in changed if state == "stalled"),
        *(
            ParcelStirred(shop_id=each.shop_id, parcel_id=each.parcel_id)
            for each, state in changed
            if state == "stirred"
        ),
    )
    return len(changed)


def list_slowed(tx: Tx, parcel_ids: Collection[int]) -> Mapping[int, int]:
    """Parcel to slow-down, of those whose silence an open slow-down explains."""
    return store.list_slowed(tx.conn, parcel_ids)
