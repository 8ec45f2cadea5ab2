"""The shop of the replay: set up once, then only a program that calls the API with a key, as a real shop's would."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import httpx

from benchmarks.replay.data import RealOrder
from benchmarks.replay.processes import AGGREGATOR, MERCHANT, ReplayFailed, Site
from benchmarks.replay.story import CARRIERS, PRINTING, SHOP, WAREHOUSES, Order
from waystream.app import App
from waystream.core.ports import CarrierAccount
from waystream.kernel.database import Shops
from waystream.kernel.tx import Tx
from waystream.parts.catalogue import actions as catalogue
from waystream.parts.catalogue.model import SenderIn, SkuIn, WarehouseIn
from waystream.parts.floor import actions as floor
from waystream.parts.floor.model import PrinterIn
from waystream.parts.hub import actions as hub
from waystream.parts.hub.model import AccountIn, AggregatorIn
from waystream.parts.people import actions as people
from waystream.parts.people.actions import Limits
from waystream.parts.people.model import ROLES, Caller, Role
from waystream.parts.shops import actions as shops

ACTOR = "system"
HANDED_IN_AT_ONCE = 500
SHIPPED_AT_ONCE = 500
TIMEOUT_S = 120.0

Told = Callable[[int], None]


def set_up(app: App, site: Site, orders: Sequence[RealOrder]) -> str:
    """Shop, goods, warehouses, carrier accounts; the secret of the shop's API key."""

    def work(tx: Tx) -> str:
        shop = shops.create_shop(tx, code=SHOP, name="Olist", actor=ACTOR)
        catalogue.upsert_skus(tx, shop.id, _skus(orders))
        for code, city in WAREHOUSES.items():
            _open_warehouse(tx, code, city, labels=site.folder / "labels" / code)
        _open_accounts(tx, site)
        caller = Caller(ACTOR, Role.OWNER, ROLES[Role.OWNER], Shops.every())
        scopes = ("orders:read", "orders:write", "ship:write")
        return people.create_key(tx, name="replay", scopes=scopes, limits=Limits(shops=(shop.id,)), by=caller).secret

    return app.machine.run(work)


def _skus(orders: Iterable[RealOrder]) -> list[SkuIn]:
    lines = {line.product: line for order in orders for line in order.lines}
    return [
        SkuIn(code=line.product, name=line.category or "diversos", category=line.category, weight_g=line.weight_g,
              length_mm=line.size_mm[0], width_mm=line.size_mm[1], height_mm=line.size_mm[2])
        for line in lines.values()
    ]  # fmt: skip


def _open_warehouse(tx: Tx, code: str, city: str, *, labels: Path) -> None:
    """With a printer, or with a gate where parcels are scanned out."""
    sender = SenderIn(name=f"Depósito {city}", mobile="11900000000", address="Avenida do Porto 1")
    told = WarehouseIn(
        code=code, name=city, province="Brasil", city=city, district="Centro", sender=sender,
        dispatch_by="print" if code in PRINTING else "scan",
    )  # fmt: skip
    warehouse = catalogue.upsert_warehouse(tx, told, actor=ACTOR)
    if code in PRINTING:
        printer = floor.add_printer(tx, PrinterIn(code, f"folder://{labels}"), actor=ACTOR)
        catalogue.link_printer(tx, warehouse.id, printer, actor=ACTOR)


def _open_accounts(tx: Tx, site: Site) -> None:
    aggregator = hub.add_aggregator(
        tx, AggregatorIn(AGGREGATOR, "kdniao", MERCHANT, site.network_url, site.key),
        integrations=frozenset({"kdniao"}), actor=ACTOR,
    )  # fmt: skip
    for carrier in CARRIERS:
        parameters = CarrierAccount(
            carrier, customer_name=carrier.lower(), customer_password="replay", month_code="replay", send_site="replay"
        )
        hub.add_account(tx, AccountIn(aggregator.id, carrier, parameters), actor=ACTOR)


class Seller:
    """Calls the API over HTTP. Every call has an idempotency key, so a lost answer may be asked for again."""

    def __init__(self, site: Site, secret: str) -> None:
        self._client = httpx.Client(
            base_url=site.url, timeout=TIMEOUT_S, trust_env=False, headers={"authorization": f"Bearer {secret}"}
        )

    def __enter__(self) -> "Seller":
        return self

    def __exit__(self, *exc: object) -> None:
        self._client.close()

    def hand_in(self, orders: Sequence[Order], told: Told) -> None:
        for at in range(0, len(orders), HANDED_IN_AT_ONCE):
            part = orders[at : at + HANDED_IN_AT_ONCE]
            self._post("/api/orders", [order.told for order in part], key=f"hand-in-{at}")
            told(at + len(part))

    def ship(self, orders: Sequence[Order]) -> None:
        """Orders of one seller together, each of several split into a parcel for a seller."""
        whole = [order for order in orders if len(order.parcels) == 1]
        for at in range(0, len(whole), SHIPPED_AT_ONCE):
            self._ship(whole[at : at + SHIPPED_AT_ONCE], key=f"ship-{at}")
        for order in orders:
            if len(order.parcels) > 1:
                self._ship([order], key=f"ship-{order.number}", parcels=_split(order))

    def scan_out(self, numbers: Sequence[str]) -> None:
        """At the gate: these parcels leave."""
        for at in range(0, len(numbers), SHIPPED_AT_ONCE):
            part = numbers[at : at + SHIPPED_AT_ONCE]
            answers = self._post("/api/dispatch", {"numbers": part}, key=f"gate-{at}")["parcels"]
            refused = [answer for answer in answers if answer["outcome"] == "refused"]
            if refused:
                raise ReplayFailed(f"{len(refused)} parcels may not leave, the first: {refused[0]['reason']}")

    def _ship(self, orders: Sequence[Order], *, key: str, **wish: Any) -> None:
        asked = {"orders": [f"{SHOP}:{order.number}" for order in orders], **wish}
        shipped = self._post("/api/ship", asked, key=key)["orders"]
        refused = [answer for answer in shipped if answer["outcome"] != "asked"]
        if refused:
            raise ReplayFailed(f"{len(refused)} orders were not shipped, the first: {refused[0]['reason']}")

    def _post(self, path: str, body: object, *, key: str) -> Any:
        answer = self._client.post(path, json=body, headers={"idempotency-key": key})
        if answer.status_code != httpx.codes.OK:
            raise ReplayFailed(f"POST {path}: {answer.status_code} {answer.text[:500]}")
        return answer.json()


def _split(order: Order) -> list[list[dict[str, int]]]:
    return [
        [{"line_no": line_no, "quantity": order.quantities[line_no - 1]} for line_no in parcel.line_nos]
        for parcel in order.parcels
    ]
