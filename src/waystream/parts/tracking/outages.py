"""After an outage longer than carriers push again, every parcel under way is asked for once, the likely delivered
first.

The processes that take pushes beat once a second (`beat`); the first beat after a gap notices it. Guaranteed: one
outage is noticed once, one parcel is asked for at most once after it, a few are queued at a time so that the asking can
be stopped, and goes on where it was after any restart. One parcel by hand is asked for the same way (`ask_now`).
How a carrier is asked is in `inquiring`.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from waystream.core.errors import Conflict, Missing
from waystream.core.ports import Network
from waystream.kernel.audit import Entry
from waystream.kernel.jobs import Job
from waystream.kernel.tx import Tx
from waystream.parts.tracking import store_inquiries
from waystream.parts.tracking.store_inquiries import InquiryRow, OutageRow

PLAN, ASK = "plan_inquiries", "ask_carrier"
#: On a fast clock a second of the machine is hours of business: only silence that the machine noticed, too, is one.
SILENT_S = 5.0
QUEUED_MAX = 100
SHOWN_MAX = 200

Networks = Mapping[str, Network]


def beat(tx: Tx, networks: Networks, *, silent_s: float = SILENT_S) -> int | None:
    """Pushes can be taken in. The outage's id where they could not for longer than some carrier pushes again."""
    gap = store_inquiries.beat(tx.conn, at=tx.now)
    if gap is None or gap.machine_s < silent_s:
        return None
    gone_s = (tx.now - gap.since).total_seconds()
    lost = sorted(network.name for network in networks.values() if gone_s > network.pull.pushed_for_s)
    if not lost:
        return None
    outage_id = store_inquiries.insert_outage(tx.conn, began_at=gap.since, ended_at=tx.now, integrations=lost)
    tx.enqueue(Job(PLAN, 0, str(outage_id), f"outage:{outage_id}"))
    return outage_id


def plan(tx: Tx, outage_id: int) -> int:
    """Write down who is to be asked, and begin; how many. Planned again it adds nothing."""
    outage = _hold(tx, outage_id)
    if outage.state != "noticed":
        return 0
    planned = store_inquiries.insert_inquiries(tx.conn, outage, at=tx.now)
    store_inquiries.set_outage(tx.conn, outage_id, "asking")
    feed(tx)
    return planned


def feed(tx: Tx) -> int:
    """Queue the next of every outage that is being asked about; how many."""
    fed = 0
    for outage_id in store_inquiries.list_asking(tx.conn):
        _hold(tx, outage_id)
        following = store_inquiries.queue_next(tx.conn, outage_id, queued_max=QUEUED_MAX)
        tx.enqueue(*(_job(row.id, row.shop_id, row.parcel_id) for row in following))
        if store_inquiries.is_over(tx.conn, outage_id):
            store_inquiries.set_outage(tx.conn, outage_id, "done", finished_at=tx.now)
        fed += len(following)
    return fed


def stop(tx: Tx, outage_id: int, *, actor: str) -> None:
    """Ask for no more; what is queued waits again."""
    if _hold(tx, outage_id).state not in ("noticed", "asking"):
        raise Conflict("Nobody is being asked after this outage.")
    store_inquiries.set_outage(tx.conn, outage_id, "stopped")
    tx.note(Entry(actor, "outage.stop", f"outage:{outage_id}"))


def go_on(tx: Tx, outage_id: int, *, actor: str) -> None:
    """Go on with what is left, and ask again what was refused."""
    if _hold(tx, outage_id).state not in ("stopped", "done"):
        raise Conflict("The asking is under way.")
    outage = store_inquiries.find_outage(tx.conn, outage_id)
    assert outage is not None
    store_inquiries.insert_inquiries(tx.conn, outage, at=tx.now)
    store_inquiries.requeue_refused(tx.conn, outage_id)
    store_inquiries.set_outage(tx.conn, outage_id, "asking")
    tx.note(Entry(actor, "outage.go_on", f"outage:{outage_id}"))
    feed(tx)


def _hold(tx: Tx, outage_id: int) -> OutageRow:
    outage = store_inquiries.lock_outage(tx.conn, outage_id)
    if outage is None:
        raise Missing("There is no such outage.")
    return outage


def ask_now(tx: Tx, parcel_id: int, networks: Networks, *, actor: str) -> int:
    """A person asks for one parcel, within the carrier's rules; the inquiry's id.

    Raises `Missing` for a parcel without a live number, `Conflict` where it was asked for a moment ago.
    """
    live = store_inquiries.find_live(tx.conn, parcel_id)
    if live is None or live.integration not in networks:
        raise Missing("This parcel has no live number to ask for.")
    newest = store_inquiries.find_newest(tx.conn, parcel_id)
    if newest is not None and newest.state == "queued":
        raise Conflict("The carrier is being asked for this parcel.")
    if may_ask_from(tx, live.binding_id, networks[live.integration]) > tx.now:
        raise Conflict("The carrier was asked for this number a moment ago: one number is asked for every half hour.")

    inquiry_id = store_inquiries.insert_inquiry(
        tx.conn, parcel_id=parcel_id, shop_id=live.shop_id, binding_id=live.binding_id, actor=actor, at=tx.now
    )

    tx.enqueue(_job(inquiry_id, live.shop_id, parcel_id))
    tx.note(Entry(actor, "parcel.ask_carrier", f"parcel:{parcel_id}", live.shop_id))
    return inquiry_id


def ask_for(tx: Tx, parcel_ids: Collection[int]) -> int:
    """Ask for parcels whose scan is overdue, as soon as the carriers' rules allow it; how many.

    What has no live number, or is being asked for, is left out.
    """
    asked = store_inquiries.insert_of_parcels(tx.conn, parcel_ids, at=tx.now)

    tx.enqueue(*(_job(row.id, row.shop_id, row.parcel_id) for row in asked))
    return len(asked)


def may_ask_from(tx: Tx, binding_id: int, network: Network) -> datetime:
    """From when on the carrier's rules let us ask for a number."""
    asked_at = store_inquiries.find_asked_at(tx.conn, binding_id)
    return tx.now if asked_at is None else asked_at + timedelta(seconds=network.pull.again_after_s)


def _job(inquiry_id: int, shop_id: int, parcel_id: int) -> Job:
    return Job(ASK, shop_id, str(inquiry_id), f"parcel:{parcel_id}")


# ------------------------------------------------------------------ looking


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the asking after an outage is. `left_s`: at the allowed rate, in business time."""

    outage: OutageRow
    changed: int
    unchanged: int
    heard: int
    over: int
    refused: int
    left: int
    left_s: float

    @property
    def asked(self) -> int:
        return self.changed + self.unchanged + self.refused

    @property
    def parcels(self) -> int:
        return self.asked + self.heard + self.over + self.left


def list_progress(tx: Tx, networks: Networks, *, limit: int = 20) -> list[Progress]:
    """The outages, the newest first, as far as the caller sees their parcels."""
    outages = store_inquiries.list_outages(tx.conn, limit=min(limit, SHOWN_MAX))
    counts = store_inquiries.list_counts(tx.conn, [outage.id for outage in outages])
    return [_progress(outage, counts[outage.id], networks) for outage in outages]


def get_progress(tx: Tx, outage_id: int, networks: Networks) -> Progress:
    outage = store_inquiries.find_outage(tx.conn, outage_id)
    if outage is None:
        raise Missing("There is no such outage.")
    return _progress(outage, store_inquiries.list_counts(tx.conn, [outage_id])[outage_id], networks)


def _progress(outage: OutageRow, counts: Mapping[str, int], networks: Networks) -> Progress:
    left = counts.get("waiting", 0) + counts.get("queued", 0)
    rates = [networks[name].pull.per_s for name in outage.integrations if name in networks]
    return Progress(
        outage,
        changed=counts.get("changed", 0),
        unchanged=counts.get("unchanged", 0),
        heard=counts.get("heard", 0),
        over=counts.get("over", 0),
        refused=counts.get("refused", 0),
        left=left,
        left_s=left / min(rates) if rates else 0.0,
    )


def list_refused(tx: Tx, outage_id: int, *, after: int = 0, limit: int = 50) -> list[InquiryRow]:
    """What the carriers refused to tell, by id."""
    return store_inquiries.list_inquiries(tx.conn, outage_id, state="refused", after=after, limit=min(limit, SHOWN_MAX))


def find_newest(tx: Tx, parcel_id: int) -> InquiryRow | None:
    """The newest asking for a parcel."""
    return store_inquiries.find_newest(tx.conn, parcel_id)
