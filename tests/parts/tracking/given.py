"""Given: a shop with bound parcels, and pushes as an aggregator tells them, for the tests of tracking."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import msgspec

from waystream.core.ports import Network, Push, Skim, Told, Trace
from waystream.integrations.kdniao.adapter import network as kdniao
from waystream.integrations.kdniao.wire import stamp
from waystream.kernel.database import Connection
from waystream.kernel.ids import mint_ids
from waystream.kernel.tx import Tx
from waystream.parts.tracking.model import Received

DAY = datetime(2026, 11, 11, tzinfo=UTC)
CARRIER = "YTO"


def at(hour: float) -> datetime:
    """An instant so many hours into the day of these tests; numbers were taken at hour 0."""
    return DAY + timedelta(hours=hour)


@dataclass(frozen=True, slots=True)
class Shop:
    """The rows that everything else hangs on."""

    shop_id: int
    warehouse_id: int
    person_id: int
    aggregator_id: int


def open_shop(conn: Connection) -> Shop:
    key_id = conn.execute("INSERT INTO vault_key (purpose, wrapped) VALUES ('person', '') RETURNING id").fetchone()[0]
    shop_id = conn.execute(
        "INSERT INTO shop (code, name, created_at) VALUES ('s', 's', %s) RETURNING id", [DAY]
    ).fetchone()[0]
    warehouse_id = conn.execute(
        """INSERT INTO warehouse (code, name, province, city, district, key_id, sealed, contact_mask, created_at)
           VALUES ('w', 'w', '浙江省', '杭州市', '余杭区', %s, '', '', %s) RETURNING id""",
        [key_id, DAY],
    ).fetchone()[0]
    (person_id,) = mint_ids(1, at_ms=_ms(DAY))
    conn.execute(
        """INSERT INTO person (id, shop_id, key_id, sealed, plain, name_mask, phone_mask, address_mask, province, city,
                               district, content_hash, created_at)
           VALUES (%s, %s, %s, '', true, '', '', '', '', '', '', '', %s)""",
        [person_id, shop_id, key_id, DAY],
    )
    aggregator_id = conn.execute(
        """INSERT INTO aggregator (code, integration, merchant_id, key_sealed, base_url, created_at)
           VALUES ('main', 'kdniao', '1237100', '', 'http://localhost', %s) RETURNING id""",
        [DAY],
    ).fetchone()[0]
    return Shop(shop_id, warehouse_id, person_id, aggregator_id)


@dataclass(frozen=True, slots=True)
class Bound:
    parcel_id: int
    binding_id: int
    number: str


def bind_parcels(conn: Connection, shop: Shop, numbers: Sequence[str], *, taken_at: datetime = DAY) -> list[Bound]:
    """One parcel with a live binding for each number."""
    parcels, bindings = mint_ids(len(numbers), at_ms=_ms(taken_at)), mint_ids(len(numbers), at_ms=_ms(taken_at))
    conn.execute(
        """INSERT INTO parcel (id, shop_id, warehouse_id, person_id, carrier, stage, created_at, moved_at)
           SELECT id, %s, %s, %s, %s, 'issued', %s, %s FROM unnest(%s::bigint[]) AS id""",
        [shop.shop_id, shop.warehouse_id, shop.person_id, CARRIER, taken_at, taken_at, parcels],
    )
    made = [Bound(*bound) for bound in zip(parcels, bindings, numbers, strict=True)]
    insert_bindings(conn, shop, made, taken_at=taken_at)
    return made


def insert_bindings(conn: Connection, shop: Shop, made: Iterable[Bound], *, taken_at: datetime) -> None:
    rows = list(made)
    conn.execute(
        """INSERT INTO binding (id, parcel_id, shop_id, aggregator_id, carrier, number, owns_from, bound_at)
           SELECT id, parcel_id, %s, %s, %s, number, %s, %s
           FROM unnest(%s::bigint[], %s::bigint[], %s::text[]) AS given (id, parcel_id, number)""",
        [
            shop.shop_id,
            shop.aggregator_id,
            CARRIER,
            taken_at - timedelta(hours=24),
            taken_at,
            [bound.binding_id for bound in rows],
            [bound.parcel_id for bound in rows],
            [bound.number for bound in rows],
        ],
    )


def trace(hour: float, code: str, text: str = "") -> Trace:
    happened = at(hour)
    return Trace(raw_time=stamp(happened), at=happened, text=text or f"scan {code}", code=code)


def told(
    number: str, push_hour: float, *traces: Trace, claim: str | None = None, complete: bool = True, died: str = ""
) -> Told:
    """One waybill of a push; its claim is the newest trace's code where nothing else is said."""
    newest = traces[-1].code if traces else "0"
    return Told(
        carrier=CARRIER,
        number=number,
        our_code="",
        push_time=at(push_hour),
        state_code=newest if claim is None else claim,
        traces=traces,
        complete=complete and bool(traces),
        died=died,
    )


def received(
    tx: Tx,
    shop: Shop,
    *items: Told,
    network: Network = kdniao,
    body: bytes | None = None,
    received_at: datetime | None = None,
) -> Received:
    """A push as the door hands it on, no sooner than it was told; different content has different bytes."""
    push = Push(
        merchant_id="1237100", request_type="102", pushed_at=items[0].push_time, skims=tuple(map(skimmed, items))
    )
    content = repr((network.name, items)).encode() if body is None else body
    (inbox_id,) = mint_ids(1, at_ms=_ms(tx.now))
    return Received(
        id=inbox_id,
        aggregator_id=shop.aggregator_id,
        network=network,
        body=content,
        push=push,
        digest=hashlib.blake2b(content, digest_size=32).digest(),
        received_at=received_at or max(tx.now, *(item.push_time for item in items)),
    )


def skimmed(item: Told) -> Skim:
    """The waybill as its push is taken in: its lines as Kdniao writes them, not read yet."""
    lines = tuple(
        msgspec.json.encode(
            {
                "AcceptTime": line.raw_time,
                "AcceptStation": line.text,
                "Action": line.code,
                "Location": line.location,
            }
        )
        for line in item.traces
    )
    whole = msgspec.structs.replace(item, lines=lines) if item.complete else item
    return Skim(
        carrier=item.carrier,
        number=item.number,
        push_time=item.push_time,
        state_code=item.state_code,
        complete=item.complete,
        lines=lines,
        read=lambda: whole,
    )


def _ms(instant: datetime) -> int:
    return int(instant.timestamp() * 1000)
