"""The weeks before: parcels of another seed that have ended their ways, from which due times are learned.

What the carriers told of them went through the same door; stalls are among them as often, and nothing marks them. They
have no orders, so nobody is told of them.
"""

from collections.abc import Iterator, Sequence
from datetime import timedelta

import psycopg

from benchmarks.pushes.stock import copy
from benchmarks.week.doorway import Doorway
from benchmarks.week.house import House
from benchmarks.week.network import MERCHANT, WAYBILLS_A_PUSH, news_of
from benchmarks.week.plan import Parcel, Week
from waystream.app import App
from waystream.integrations.kdniao.fakepush import Merchant, push_data, seal_push
from waystream.kernel.ids import mint_ids
from waystream.kernel.tx import Tx
from waystream.parts.tracking import actions as tracking

TRACKED_AT_ONCE = 5_000


def tell_history(app: App, house: House, week: Week) -> None:
    """All of it at once, as of the present business time: every parcel that was scanned by then."""
    now = app.clock.now()
    scanned = [parcel for parcel in week.all if parcel.journey.scans[0].at <= now]
    parcels = sorted(scanned, key=lambda parcel: parcel.trip.dispatched_at)
    ids = [mint_ids(1, at_ms=int(parcel.trip.dispatched_at.timestamp() * 1000))[0] for parcel in parcels]
    with psycopg.connect(app.urls.owner) as conn:
        _bind(conn, house, parcels, ids)
    for at in range(0, len(ids), TRACKED_AT_ONCE):
        part = ids[at : at + TRACKED_AT_ONCE]
        app.machine.run(lambda tx, part=part: _begin(tx, part))
    with Doorway(app, house) as doorway:
        doorway.take(_pushes(app, house, parcels))
    with psycopg.connect(app.urls.owner, autocommit=True) as conn:
        conn.execute("VACUUM ANALYZE")


def _begin(tx: Tx, ids: Sequence[int]) -> None:
    tracking.begin_tracks(tx, ids)


def _bind(conn: psycopg.Connection, house: House, parcels: Sequence[Parcel], ids: Sequence[int]) -> None:
    persons, rows, bindings = {}, [], []
    key_id = conn.execute("SELECT min(id) FROM vault_key").fetchone()
    assert key_id is not None
    for parcel, an_id in zip(parcels, ids, strict=True):
        trip, shop = parcel.trip, house.shop_id
        left_at, city = trip.dispatched_at, trip.destination.name
        if city not in persons:
            (person_id,) = mint_ids(1, at_ms=int(left_at.timestamp() * 1000))
            persons[city] = (person_id, shop, *key_id, b"", True, *[""] * 3, city.removesuffix("市"), city, "城区", b"",
                             left_at)  # fmt: skip
        warehouse_id = house.warehouse_ids[parcel.warehouse]
        rows.append((an_id, shop, warehouse_id, persons[city][0], trip.carrier, "dispatched", *[left_at] * 4))
        bindings.append((an_id, an_id, shop, house.aggregator_id, trip.carrier, trip.number,
                         left_at - timedelta(hours=24), left_at))  # fmt: skip
    copy(conn, "person", "id shop_id key_id sealed plain name_mask phone_mask address_mask province city district "
         "content_hash created_at", persons.values())  # fmt: skip
    copy(conn, "parcel", "id shop_id warehouse_id person_id carrier stage created_at issued_at dispatched_at moved_at",
         rows)  # fmt: skip
    copy(conn, "binding", "id parcel_id shop_id aggregator_id carrier number owns_from bound_at", bindings)


def _pushes(app: App, house: House, parcels: Sequence[Parcel]) -> Iterator[bytes]:
    now, merchant = app.clock.now(), Merchant(MERCHANT, house.key)
    told = [news_of(parcel, now) for parcel in parcels]
    for at in range(0, len(told), WAYBILLS_A_PUSH):
        data = push_data(MERCHANT, "102", told[at : at + WAYBILLS_A_PUSH], at=now)
        yield seal_push(merchant, "102", data)
