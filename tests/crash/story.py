"""What the victim does: sets up a shop once, ships orders (some with trouble), waits until nothing is left to do."""

import time
from pathlib import Path

import psycopg

from waystream.app import App
from waystream.core.errors import Unavailable
from waystream.core.ports import CarrierAccount
from waystream.kernel.tx import Tx
from waystream.parts.catalogue import actions as catalogue
from waystream.parts.catalogue.model import SenderIn, WarehouseIn
from waystream.parts.floor import actions as floor
from waystream.parts.floor.model import PrinterIn
from waystream.parts.fulfilment import actions as fulfilment
from waystream.parts.fulfilment.model import ShipOrders
from waystream.parts.hub import actions as hub
from waystream.parts.hub.model import AccountIn, AggregatorIn
from waystream.parts.orders import actions as orders
from waystream.parts.orders.form import parse_order
from waystream.parts.shops import actions as shops

MERCHANT, KEY = "1237100", "crash-test-key"
ACTOR = "system"
QUIET_LIMIT_S = 60.0

#: What is still on its way: jobs to run, events to place, rules to catch up, numbers to settle.
BUSY = """
SELECT (SELECT count(*) FROM job WHERE state IN ('ready', 'running') AND kind <> 'test_aggregator')
     + (SELECT count(*) FROM event_new)
     + (SELECT count(*) FROM rule_cursor WHERE position < (SELECT position FROM sequencer))
     + (SELECT count(*) FROM take WHERE state IN ('planned', 'asked'))
"""


#: The same in words, for whoever has to find out why it does not end.
STILL = """
SELECT format('job %s %s is %s, attempt %s, due in %s s: %s', kind, key, state, attempts,
              round(extract(epoch FROM due_at - clock_timestamp())), error)
FROM job WHERE state IN ('ready', 'running') AND kind <> 'test_aggregator'
UNION ALL SELECT format('rule %s stands at %s of %s', rule, rule_cursor.position, sequencer.position)
FROM rule_cursor, sequencer WHERE rule_cursor.position < sequencer.position
UNION ALL SELECT format('take %s is %s', id, state) FROM take WHERE state IN ('planned', 'asked')
UNION ALL SELECT format('%s events wait for their place', count(*)) FROM event_new HAVING count(*) > 0
"""


def set_up(tx: Tx, *, network_url: str, labels: Path) -> None:
    """One shop, one warehouse that dispatches at print, one carrier; found there on every later start."""
    if shops.list_shops(tx):
        return
    labels.mkdir(parents=True, exist_ok=True)
    printer = floor.add_printer(tx, PrinterIn("folder", f"folder://{labels}"), actor=ACTOR)
    shops.create_shop(tx, code="crash", name="Crash", actor=ACTOR)
    sender = SenderIn(name="仓库", mobile="13800000000", address="仓前街道1号")
    warehouse = catalogue.upsert_warehouse(
        tx,
        WarehouseIn(
            code="w", name="仓", province="浙江省", city="杭州市", district="余杭区", sender=sender, dispatch_by="print"
        ),
        actor=ACTOR,
    )
    catalogue.link_printer(tx, warehouse.id, printer, actor=ACTOR)
    aggregator = hub.add_aggregator(
        tx, AggregatorIn("crash", "kdniao", MERCHANT, network_url, KEY), integrations=frozenset({"kdniao"}), actor=ACTOR
    )
    account = CarrierAccount("YTO", customer_name="c", customer_password="p", month_code="m")
    hub.add_account(tx, AccountIn(aggregator.id, "YTO", account), actor=ACTOR)


def ship_orders(app: App, count: int, *, trouble: str) -> None:
    """New orders, shipped; with `trouble` "cancel" or "address" the shop changes its mind at once."""

    def work(tx: Tx) -> list[int]:
        row = tx.conn.execute("SELECT count(*) FROM orders").fetchone()
        assert row is not None
        accepted = orders.accept(tx, [parse_order(order(row[0] + n)) for n in range(count)])
        return [one.order_id for one in accepted]

    order_ids = app.machine.run(work)
    app.machine.run(lambda tx: fulfilment.ship(tx, ShipOrders(tuple(order_ids)), actor=ACTOR))
    if trouble == "cancel":
        app.machine.run(lambda tx: orders.cancel(tx, order_ids, reason="买家取消", actor=ACTOR))
    if trouble == "address":
        app.machine.run(lambda tx: move_all(tx, order_ids))


def order(n: int, street: str = "解放路1号") -> dict[str, object]:
    return {
        "shop": "crash",
        "number": f"C{n:05d}",
        "warehouse": "w",
        "receiver": {
            "name": "王五",
            "mobile": "13911112222",
            "province": "四川省",
            "city": "成都市",
            "district": "武侯区",
            "address": street,
        },
        "lines": [{"sku": "S", "name": "杯", "quantity": 1, "price_fen": 1000}],
    }


def move_all(tx: Tx, order_ids: list[int]) -> None:
    """The buyer moves: the same orders with another street."""
    numbers = [row[0] for row in tx.conn.execute("SELECT number FROM orders WHERE id = ANY(%s)", (order_ids,))]
    orders.accept(tx, [parse_order(order(int(number[1:]), "人民路2号")) for number in numbers])


def wait_until_quiet(app: App, *, limit_s: float = QUIET_LIMIT_S) -> None:
    """Until nothing is left to do; a system that never gets quiet fails the test that waits for it."""
    deadline = time.monotonic() + limit_s
    calm = 0
    while calm < 3:
        assert time.monotonic() < deadline, f"there is still work after {limit_s:.0f} s: {list_work(app)}"
        time.sleep(0.1)
        calm = calm + 1 if count_work(app) == 0 else 0


def count_work(app: App) -> int | None:
    """How much is left to do; None while the database, which a test may have killed, does not answer."""
    try:
        with app.machine.begin(read_only=True) as tx:
            row = tx.conn.execute(BUSY).fetchone()
    except (psycopg.OperationalError, Unavailable):
        return None
    return None if row is None else int(row[0])


def list_work(app: App) -> list[str]:
    with app.machine.begin(read_only=True) as tx:
        return [str(row[0]) for row in tx.conn.execute(STILL.encode()).fetchmany(10)]
