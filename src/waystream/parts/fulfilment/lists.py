"""What pages and the API read of parcels: lists by filter, one parcel with all its history, reports.

Lists go by keyset: hand the last row's cursor in again and the next page follows, whatever moved meanwhile.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from waystream.core.errors import Missing
from waystream.kernel.tx import Tx
from waystream.parts.fulfilment import store_lists, store_takes, store_tasks
from waystream.parts.fulfilment.store_lists import (
    BindingItem,
    CancelItem,
    ContentItem,
    Filters,
    LabelItem,
    ParcelItem,
    TakeItem,
)
from waystream.parts.fulfilment.store_tasks import Place, Refusal, UnusedFilters, UnusedNumber

PAGE_MAX = 500
COLLECTED_WITHIN = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class Cursor:
    """The last row of a page: lists are newest first."""

    moved_at: datetime
    id: int


@dataclass(frozen=True, slots=True)
class Page:
    """`after` leads to the next page; None when this is the last."""

    parcels: tuple[ParcelItem, ...]
    after: Cursor | None


@dataclass(frozen=True, slots=True)
class ParcelHistory:
    """One parcel with everything that happened to its number; `family` are the other pieces of its shipment."""

    parcel: ParcelItem
    contents: tuple[ContentItem, ...]
    family: tuple[int, ...]
    takes: tuple[TakeItem, ...]
    bindings: tuple[BindingItem, ...]
    labels: tuple[LabelItem, ...]
    cancels: tuple[CancelItem, ...]


def list_parcels(tx: Tx, filters: Filters | None = None, *, after: Cursor | None = None, limit: int = 50) -> Page:
    """Parcels by filter, the last moved first."""
    limit = min(limit, PAGE_MAX)
    position = (after.moved_at, after.id) if after is not None else None
    found = store_lists.list_parcels(tx.conn, filters or Filters(), after=position, limit=limit + 1)
    page = tuple(found[:limit])
    return Page(page, Cursor(page[-1].at, page[-1].id) if len(found) > limit else None)


def count_stages(tx: Tx, *, warehouse_ids: Sequence[int] | None = None) -> dict[str, int]:
    """How many parcels are at each stage."""
    return store_lists.count_stages(tx.conn, warehouse_ids=warehouse_ids)


def get_parcel(tx: Tx, parcel_id: int) -> ParcelHistory:
    """Raises `Missing` for a parcel that is not there, or not to be seen."""
    found = store_lists.list_parcels(tx.conn, Filters(ids=(parcel_id,)), after=None, limit=1)
    if not found:
        raise Missing("There is no such parcel.")
    conn, mother = tx.conn, found[0].mother_id or parcel_id
    return ParcelHistory(
        found[0], tuple(store_lists.list_contents(conn, mother)), tuple(store_lists.list_family(conn, mother)),
        tuple(store_lists.list_takes(conn, mother)), tuple(store_lists.list_bindings(conn, parcel_id)),
        tuple(store_lists.list_labels(conn, parcel_id)), tuple(store_lists.list_cancels(conn, mother)),
    )  # fmt: skip


def list_tasks(
    tx: Tx, *, warehouse_ids: Collection[int] | None = None, after: Place | None = None, limit: int = 200
) -> list[CancelItem]:
    """Numbers a person must call the carrier about: not cancelled by the network, or collected already.

    The oldest first; `after` is (asked_at, id) of the last one seen.
    """
    return store_tasks.list_open_cancels(tx.conn, warehouses=_ids(warehouse_ids), after=after, limit=limit)


def list_unclear_takes(
    tx: Tx, *, warehouse_ids: Collection[int] | None = None, after: Place | None = None, limit: int = 200
) -> list[TakeItem]:
    """Attempts in doubt, in conflict, or given up while unanswered, the oldest first.

    `after` is (created_at, id) of the last one seen.
    """
    return store_tasks.list_unclear_takes(tx.conn, warehouses=_ids(warehouse_ids), after=after, limit=limit)


def list_refusals(tx: Tx, *, warehouse_ids: Collection[int] | None = None, limit: int = 100) -> list[Refusal]:
    """Why parcels are refused their number: one row for what is mended once."""
    return store_tasks.list_refusals(tx.conn, warehouses=_ids(warehouse_ids), limit=limit)


def list_refused(
    tx: Tx, *, mend: str, account_id: int | None, warehouse_ids: Collection[int] | None = None, limit: int = PAGE_MAX
) -> list[int]:
    """The parcels behind one refusal, the oldest first."""
    return store_tasks.list_refused(
        tx.conn, mend=mend, account_id=account_id, warehouses=_ids(warehouse_ids), limit=limit
    )


def get_parcel_of_take(tx: Tx, take_id: int) -> int:
    """Whose attempt it is. Raises `Missing`."""
    take = store_takes.find_take(tx.conn, take_id)
    if take is None:
        raise Missing("There is no such attempt.")
    return take.parcel_id


def get_parcel_of_cancel(tx: Tx, cancel_id: int) -> int:
    """Whose number is given back. Raises `Missing`."""
    found = store_takes.find_cancel_parcel(tx.conn, cancel_id)
    if found is None:
        raise Missing("There is no such cancel.")
    return found


def list_unused_numbers(
    tx: Tx, *, older_than: timedelta = COLLECTED_WITHIN, younger_than: timedelta | None = None, carrier: str = "",
    warehouse_ids: Collection[int] | None = None, after: Place | None = None, limit: int = 200,
) -> list[UnusedNumber]:  # fmt: skip
    """Numbers taken and never collected: bound and lying here, orphans, and those that would not be cancelled.

    The oldest first; `after` is (since, id) of the last one seen.
    """
    filters = UnusedFilters(
        before=tx.now - older_than, since=None if younger_than is None else tx.now - younger_than, carrier=carrier,
        warehouses=_ids(warehouse_ids), after=after,
    )  # fmt: skip
    return store_tasks.list_unused_numbers(tx.conn, filters, limit=limit)


def count_unused_numbers(
    tx: Tx, *, ages: Sequence[timedelta], warehouse_ids: Collection[int] | None = None
) -> dict[str, tuple[int, ...]]:
    """By carrier: how many are older than each of `ages` (ascending) but not than the next one."""
    filters = UnusedFilters(before=tx.now - ages[0], warehouses=_ids(warehouse_ids))
    edges = [tx.now - age for age in reversed(ages[1:])]
    counted: dict[str, list[int]] = {}
    for carrier, younger, count in store_tasks.count_unused_numbers(tx.conn, filters, edges=edges):
        counted.setdefault(carrier, [0] * len(ages))[len(edges) - younger] = count
    return {carrier: tuple(counts) for carrier, counts in counted.items()}


def _ids(warehouse_ids: Collection[int] | None) -> list[int] | None:
    return None if warehouse_ids is None else sorted(warehouse_ids)
