"""Cohorts of parcels and the waves of their life, each one transaction: set-wise rows and the events they say.

What people do at the gate and with orders is done by the actions themselves; what jobs and pushes would have stored is
written as rows. The rules do the rest: prints, subscriptions, tracks, dispatch at print, orders' words.
"""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from benchmarks.lives.ways import STAYS, Fate, fate_of, news, tracks
from benchmarks.pushes.story import CARRIER, MERCHANT, SCANS
from waystream.core.events.fulfilment import LabelPrinted, SubscriptionDied, WaybillIssued
from waystream.core.parcel import Track
from waystream.core.ports import CarrierAccount
from waystream.kernel.ids import mint_ids
from waystream.kernel.tx import Tx
from waystream.parts.catalogue import actions as catalogue
from waystream.parts.catalogue.model import SenderIn, WarehouseIn
from waystream.parts.floor import actions as floor
from waystream.parts.floor.model import PrinterIn
from waystream.parts.fulfilment import actions as fulfilment
from waystream.parts.hub import actions as hub
from waystream.parts.hub.model import AccountIn, AggregatorIn
from waystream.parts.orders import actions as orders
from waystream.parts.shops import actions as shops

ACTOR = "system"
AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class House:
    """What all cohorts hang on; half of the parcels leave where printing is leaving, half where the gate scans."""

    shop_id: int
    aggregator_id: int
    account_id: int
    person_id: int
    by_print: int
    by_scan: int


@dataclass(frozen=True, slots=True)
class Cohort:
    """Parcels that begin together; parcel, order, take, binding and label share an id."""

    ids: Sequence[int]
    start: datetime

    def those(self, *fates: int) -> list[int]:
        return [an_id for n, an_id in enumerate(self.ids) if fate_of(n) in fates]

    @property
    def leaving(self) -> list[tuple[int, int]]:
        """(fate, id) of those that nobody stops."""
        return [(fate_of(n), an_id) for n, an_id in enumerate(self.ids) if fate_of(n) not in STAYS]


def furnish(tx: Tx) -> House:
    shop_id = shops.create_shop(tx, code="bench", name="Bench", actor=ACTOR).id
    warehouses = [_furnish_warehouse(tx, "print"), _furnish_warehouse(tx, "scan")]
    told = AggregatorIn("bench", "kdniao", MERCHANT, "http://127.0.0.1:9", secrets.token_hex(16))
    aggregator = hub.add_aggregator(tx, told, integrations=frozenset({"kdniao"}), actor=ACTOR)
    account = hub.add_account(tx, AccountIn(aggregator.id, "bench", CarrierAccount(CARRIER)), actor=ACTOR)
    (person_id,) = mint_ids(1, at_ms=int(tx.now.timestamp() * 1000))
    tx.conn.execute(
        """INSERT INTO person (id, shop_id, key_id, sealed, plain, name_mask, phone_mask, address_mask, province, city,
                               district, content_hash, created_at)
           SELECT %s, %s, min(id), '', true, '', '', '', '', '', '', '', %s FROM vault_key""",
        [person_id, shop_id, tx.now],
    )
    return House(shop_id, aggregator.id, account.id, person_id, *warehouses)


def _furnish_warehouse(tx: Tx, dispatch_by: str) -> int:
    floor.add_printer(tx, PrinterIn(f"printer {dispatch_by}", "folder:///nowhere"), actor=ACTOR)
    sender = SenderIn(name="仓库", mobile="13800000000", address="仓前街道1号")
    wanted = WarehouseIn(code=dispatch_by, name="仓", province="浙江省", city="杭州市", district="余杭区",
                         sender=sender, dispatch_by="print" if dispatch_by == "print" else "scan",
                         printer=f"printer {dispatch_by}")  # fmt: skip
    return catalogue.upsert_warehouse(tx, wanted, actor=ACTOR).id


_COHORT = """(SELECT id, CASE WHEN n %% 2 = 1 THEN %(by_print)s::bigint ELSE %(by_scan)s::bigint END AS warehouse_id
    FROM unnest(%(ids)s::bigint[]) WITH ORDINALITY AS given (id, n)) AS cohort"""
#: What the shop told, what "ship" made of it, what the answer of the carrier left.
_ISSUED = (
    """INSERT INTO orders (id, shop_id, number, warehouse_id, person_id, payment, content_hash, received_at, moved_at)
       SELECT id, %(shop)s, 'B' || id, warehouse_id, %(person)s, 'prepaid', '', %(now)s, %(now)s FROM cohort""",
    """INSERT INTO order_line (id, order_id, shop_id, line_no, sku, name, quantity, price_fen)
       SELECT id, id, %(shop)s, 1, 'sku', 'sku', 1, 100 FROM cohort""",
    """INSERT INTO parcel (id, shop_id, warehouse_id, person_id, account_id, carrier, stage, created_at, issued_at,
                           moved_at)
       SELECT id, %(shop)s, warehouse_id, %(person)s, %(account)s, %(carrier)s, 'issued', %(now)s, %(now)s, %(now)s
       FROM cohort""",
    "INSERT INTO parcel_order (parcel_id, order_id, shop_id) SELECT id, id, %(shop)s FROM cohort",
    """INSERT INTO parcel_line (parcel_id, order_line_id, shop_id, quantity)
       SELECT id, id, %(shop)s, 1 FROM cohort""",
    """INSERT INTO take (id, parcel_id, shop_id, account_id, code, state, number, asked_at, answered_at, attempts,
                         created_at)
       SELECT id, id, %(shop)s, %(account)s, 'T' || id, 'bound', 'Y' || id, %(now)s, %(now)s, 1, %(now)s FROM cohort""",
    """INSERT INTO binding (id, parcel_id, shop_id, take_id, aggregator_id, carrier, number, owns_from, bound_at)
       SELECT id, id, %(shop)s, id, %(aggregator)s, %(carrier)s, 'Y' || id, %(now)s, %(now)s FROM cohort""",
    """INSERT INTO label (id, parcel_id, binding_id, shop_id, source, key_id, sealed, made_at)
       SELECT id, id, id, %(shop)s, 'own', (SELECT min(id) FROM vault_key), '', %(now)s FROM cohort""",
)


def issue(tx: Tx, house: House, cohort: Cohort) -> None:
    given = {
        "shop": house.shop_id, "person": house.person_id, "account": house.account_id, "carrier": CARRIER,
        "aggregator": house.aggregator_id, "now": tx.now, "by_print": house.by_print, "by_scan": house.by_scan,
        "ids": list(cohort.ids),
    }  # fmt: skip
    for statement in _ISSUED:
        whole = statement.replace("FROM cohort", f"FROM {_COHORT}").encode()
        tx.conn.execute(whole, {name: value for name, value in given.items() if f"%({name})s".encode() in whole})
    tx.emit(*(WaybillIssued(shop_id=house.shop_id, parcel_id=an_id, binding_id=an_id, order_ids=(an_id,))
              for an_id in cohort.ids))  # fmt: skip


def print_labels(tx: Tx, house: House, cohort: Cohort) -> None:
    """Some orders are stopped just before; the labels of the others come out of the printers."""
    orders.hold(tx, cohort.those(Fate.HELD), reason="bench", actor=ACTOR)
    orders.cancel(tx, cohort.those(Fate.CANCELLED), reason="bench", actor=ACTOR)
    tx.emit(*(SubscriptionDied(shop_id=house.shop_id, parcel_id=an_id, binding_id=an_id, reason="silent")
              for an_id in cohort.those(Fate.UNWATCHED)))  # fmt: skip
    printed = tx.conn.execute(
        """UPDATE print SET state = 'printed', printed_at = %s WHERE parcel_id = ANY (%s) AND state = 'queued'
           RETURNING id, parcel_id""",
        [tx.now, [an_id for _, an_id in cohort.leaving]],
    ).fetchall()
    tx.emit(*(LabelPrinted(shop_id=house.shop_id, parcel_id=parcel_id, print_id=print_id)
              for print_id, parcel_id in printed))  # fmt: skip


def pass_gate(tx: Tx, house: House, cohort: Cohort) -> None:
    """Who is scanned leaves; what was held may go on and asks for another number."""
    orders.release(tx, cohort.those(Fate.HELD), reason="bench", actor=ACTOR)
    unscanned = {*cohort.those(Fate.UNSCANNED)}
    at_gate = {an_id for n, an_id in enumerate(cohort.ids) if n % 2} - unscanned
    leaving = [an_id for _, an_id in cohort.leaving if an_id in at_gate]
    for at in range(0, len(leaving), AT_ONCE):
        fulfilment.dispatch(tx, leaving[at : at + AT_ONCE], by="scan", actor=ACTOR)


def scan_step(step: int) -> "Wave":
    """The carrier's pushes with this scan have been taken in: tracks moved, and said so."""

    def scan(tx: Tx, house: House, cohort: Cohort) -> None:
        moved = [(an_id, tracks(fate, cohort.start)[step + 1]) for fate, an_id in cohort.leaving]
        tx.conn.execute(
            """UPDATE track SET state = new.state, kind = new.kind, direction = new.direction, at = new.at,
                   because = new.because, collected_at = new.collected_at, delivered_at = new.delivered_at,
                   scanned_at = new.scanned_at, changed_at = %s
               FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[], %s::timestamptz[], %s::text[],
                           %s::timestamptz[], %s::timestamptz[], %s::timestamptz[])
                    AS new (parcel_id, state, kind, direction, at, because, collected_at, delivered_at, scanned_at)
               WHERE track.parcel_id = new.parcel_id""",
            [
                tx.now,
                [an_id for an_id, _ in moved],
                *map(list, zip(*(_columns(track) for _, track in moved), strict=True)),
            ],
        )
        tx.emit(*(event for fate, an_id in cohort.leaving
                  for event in news(fate, step, cohort.start, shop_id=house.shop_id, parcel_id=an_id)))  # fmt: skip

    return scan


def _columns(track: Track) -> tuple[object, ...]:
    return (str(track.state), str(track.kind), str(track.direction), track.at, track.because, track.collected_at,
            track.delivered_at, track.scanned_at)  # fmt: skip


Wave = Callable[[Tx, House, Cohort], None]
WAVES: Sequence[Wave] = (issue, print_labels, pass_gate, *(scan_step(step) for step in range(SCANS)))
