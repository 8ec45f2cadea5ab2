"""What is there to settle, read in one transaction and limited to the caller's shops and warehouses."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from waystream.kernel.tx import Tx
from waystream.parts.backups import actions as backups
from waystream.parts.backups.model import RestorationRow
from waystream.parts.floor import actions as floor
from waystream.parts.floor.model import Print
from waystream.parts.fulfilment import lists
from waystream.parts.fulfilment.store_lists import CancelItem, TakeItem
from waystream.parts.fulfilment.store_tasks import Refusal
from waystream.parts.hub import actions as hub
from waystream.parts.hub.model import AccountRow, Watched
from waystream.parts.tracking import reading
from waystream.parts.tracking.store_lists import DisputeRow
from waystream.parts.webhooks import actions as webhooks
from waystream.parts.webhooks.model import Endpoint
from waystream.web.auth import Seat
from waystream.web.pages.tasks.store import Named, name_parcels


class _OfParcel(Protocol):
    @property
    def parcel_id(self) -> int: ...


READ_AT_MOST = 200  # of each kind


@dataclass(frozen=True, slots=True)
class Tasks:
    """Everything that waits for a person, each kind oldest first; `doubts` settle themselves."""

    conflicts: tuple[TakeItem, ...]
    doubts: tuple[TakeItem, ...]
    cancels: tuple[CancelItem, ...]
    alarms: tuple[DisputeRow, ...]
    disputes: tuple[DisputeRow, ...]
    refusals: tuple[Refusal, ...]
    prints: tuple[Print, ...]
    dead: tuple[Watched, ...]
    pools: tuple[AccountRow, ...]
    endpoints: tuple[Endpoint, ...]
    restores: tuple[RestorationRow, ...]
    names: dict[int, Named]
    now: datetime

    @property
    def count(self) -> int:
        """A refusal counts once: it is mended once for all its parcels."""
        kinds = (self.conflicts, self.cancels, self.alarms, self.disputes, self.refusals, self.prints, self.dead)
        return sum(len(kind) for kind in kinds) + len(self.pools) + len(self.restores) + len(self.endpoints)

    @property
    def oldest(self) -> datetime:
        """Since when the first of them waits; an account that runs low waits since now."""
        since = [
            *(take.created_at for take in self.conflicts),
            *(cancel.asked_at for cancel in self.cancels),
            *(dispute.since for dispute in (*self.alarms, *self.disputes)),
            *(refusal.since for refusal in self.refusals),
            *(paper.queued_at for paper in self.prints),
            *(number.died_at for number in self.dead if number.died_at),
            *(restore.since for restore in self.restores),
            *(endpoint.disabled_at for endpoint in self.endpoints if endpoint.disabled_at),
        ]
        return min(since, default=self.now)


def gather(tx: Tx, seat: Seat) -> Tasks:
    here, most = seat.caller.warehouses, READ_AT_MOST
    takes = lists.list_unclear_takes(tx, warehouse_ids=here, limit=most)
    cancels = lists.list_tasks(tx, warehouse_ids=here, limit=most)
    disputes = reading.list_disputes(tx, warehouse_ids=here, limit=most)
    prints = floor.list_failed(tx, warehouse_ids=here, limit=most)
    dead = hub.list_dead(tx, warehouse_ids=here, limit=most)
    of_parcels: list[_OfParcel] = [*takes, *cancels, *disputes, *prints, *dead]
    return Tasks(
        conflicts=tuple(take for take in takes if take.state == "conflict"),
        doubts=tuple(take for take in takes if take.state != "conflict"),
        cancels=tuple(cancels),
        alarms=tuple(each for each in disputes if each.cancelled),
        disputes=tuple(each for each in disputes if not each.cancelled),
        refusals=tuple(lists.list_refusals(tx, warehouse_ids=here, limit=most)),
        prints=tuple(prints),
        dead=tuple(dead),
        pools=_low(tx, here),
        endpoints=_silent(tx, seat),
        restores=tuple(backups.list_unsettled(tx)),
        names=name_parcels(tx.conn, {each.parcel_id for each in of_parcels}),
        now=tx.now,
    )


def _silent(tx: Tx, seat: Seat) -> tuple[Endpoint, ...]:
    """Webhooks that were switched off by themselves, for those who may see webhooks."""
    if not seat.caller.may("webhooks:read"):
        return ()
    return tuple(each for each in webhooks.list_endpoints(tx) if each.disabled_why in ("gone", "failing"))


def _low(tx: Tx, here: Collection[int] | None) -> tuple[AccountRow, ...]:
    """Accounts in use that run out of numbers and serve a warehouse of the caller."""
    return tuple(
        row
        for row in hub.list_accounts(tx)
        if row.low and not row.disabled and (here is None or row.warehouse_id is None or row.warehouse_id in here)
    )
