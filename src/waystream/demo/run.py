"""Runs the demonstration: the network beside us, the server, the shop; stops all of it cleanly.

The network is a process of its own that ends when its standard input closes, so it never outlives us. Unattended, the
shop stops selling a while before the end, so that what was sold is also labelled and printed.
"""

import logging
import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from waystream.app import App, build
from waystream.core.errors import Conflict, Unavailable
from waystream.demo import messages
from waystream.demo.report import Report, report_on
from waystream.demo.shop import ACTOR, AGGREGATOR, DemoShop, set_up
from waystream.kernel.telemetry import configure_logging
from waystream.kernel.tx import Tx
from waystream.parts.buyer import actions as buyer
from waystream.parts.buyer import links
from waystream.parts.fulfilment import actions as fulfilment
from waystream.parts.fulfilment.model import ShipOrders
from waystream.parts.orders import actions as orders
from waystream.parts.people.actions import ensure_owner
from waystream.server import serve, take_port
from waystream.settings import Settings

log = logging.getLogger(__name__)

MERCHANT = "1237100"
SEED = 20261112
ORDERS_MAX = 4000
SELL_EVERY_S = 0.5
SOLD_AT_ONCE = 2
SCANNED_AT_ONCE = 50
#: Three days after the start of the demonstration nothing moves there: the parcels of one warehouse are one incident.
STORM_HUB = "广州"
#: The network and the shop's message port are our own and stand here: no other private host is called.
LOOPBACK = "127.0.0.1"
#: Unattended, the last orders are sold this long before the end.
WIND_DOWN_S = 15.0
NETWORK_START_S = 60.0

Say = Callable[[str], None]


def run_demo(settings: Settings, *, seconds: float, say: Say) -> Report:
    """Run until Ctrl-C, or for `seconds`; the report is drawn after selling stopped and the queues ran dry."""
    settings = open_to_the_demo(settings)
    configure_logging(settings.log_level, json=settings.log_json)
    network_port = _free_port_near(settings)
    with take_port(settings) as listening, build(settings) as app:
        key = _network_key(settings)
        ended = threading.Event()
        shop = threading.Thread(target=_sell, args=(app, ended, seconds, say), name="demo shop")
        with _network(app, network_port, key=key):
            _prepare(app, f"http://{LOOPBACK}:{network_port}", key=key, say=say)
            shop.start()
            alarm = threading.Timer(seconds, os.kill, (os.getpid(), signal.SIGINT)) if seconds else None
            try:
                if alarm:
                    alarm.start()
                serve(app, listening, on_ready=lambda: _say_where(settings.address, say))
            except KeyboardInterrupt:
                pass
            finally:
                ended.set()
                shop.join()
                if alarm:
                    alarm.cancel()
            return report_on(app)


def open_to_the_demo(settings: Settings) -> Settings:
    """The same, but messages may go to our own machine, and they carry the address of the buyer's page there."""
    hosts = f"{settings.webhook_private_hosts} {LOOPBACK}".strip()
    return replace(settings, webhook_private_hosts=hosts, base_url=settings.address)


def _free_port_near(settings: Settings) -> int:
    """The network's port: ours plus one, kept free of surprises by asking first."""
    port = settings.port + 1
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise Conflict(f"Port {port} is taken and the sandbox network needs it: choose another --port.") from error
    return port


def _network_key(settings: Settings) -> str:
    """The key both sides sign with, kept beside the other keys."""
    file = settings.key_folder / "demo-network.key"
    if not file.exists():
        file.touch(mode=0o600)
        file.write_text(secrets.token_hex(16))
    return file.read_text()


def _prepare(app: App, network_url: str, *, key: str, say: Say) -> None:
    labels = app.settings.data_folder / "labels"
    labels.mkdir(parents=True, exist_ok=True)

    def work(tx: Tx) -> None:
        set_up(tx, network_url=network_url, merchant_id=MERCHANT, key=key, labels=labels,
               integrations=frozenset(app.networks))  # fmt: skip
        messages.set_up(tx, messages.OtherSide(network_url, MERCHANT, key), gateways=app.gateways)
        first = ensure_owner(tx)
        if first is not None:
            say(f"First sign-in: [bold]{first.staff.login}[/]  password [bold]{first.password}[/]  (shown once)")

    app.machine.run(work)


@contextmanager
def _network(app: App, port: int, *, key: str) -> Iterator[None]:
    """The sandbox carrier network in a process of its own, on our clock."""
    settings = app.settings
    clock = app.clock.now(), app.clock.machine_now()
    command = [
        sys.executable, "-m", "waystream.cli", "sandbox", "--port", str(port), "--data",
        str(settings.data_folder / "network"), "--seed", str(SEED), "--speed", str(settings.clock_speed),
        "--merchant", MERCHANT, "--push-url", f"http://127.0.0.1:{settings.port}/push/kdniao/{AGGREGATOR}",
        "--anchor-business", clock[0].isoformat(), "--anchor-machine", clock[1].isoformat(), "--demo-mix",
        "--storm-hub", STORM_HUB, "--with-parent",
    ]  # fmt: skip
    environment = os.environ | {"WAYSTREAM_NETWORK_KEY": key, "WAYSTREAM_MESSAGE_SECRET": messages.secret_of(key)}
    process = subprocess.Popen(command, stdin=subprocess.PIPE, env=environment, start_new_session=True)
    try:
        _wait_for(port, process)
        yield
    finally:
        assert process.stdin is not None
        process.stdin.close()
        process.wait()


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    """Until the network listens; one that ended instead is told."""
    deadline = time.monotonic() + NETWORK_START_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise Unavailable("The sandbox network did not start.")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise Unavailable(f"The sandbox network did not start within {NETWORK_START_S:.0f} s.")


def _say_where(address: str, say: Say) -> None:
    say(f"Waystream: [bold]{address}[/]  (Ctrl-C stops it)")
    say(f"Tickets, as the first parcels go wrong: [bold]{address}/workbench[/]")
    say(f"What buyers are told, as it is told: [bold]{address}/notices[/]")


def _sell(app: App, ended: threading.Event, seconds: float, say: Say) -> None:
    """Sell, ship and scan out until the end, or until there is enough to look at; say where a buyer looks."""
    shop = app.machine.run(_open_shop)
    ticks = int((seconds - WIND_DOWN_S) / SELL_EVERY_S) if seconds else ORDERS_MAX
    tick, shown = 0, False
    while not ended.wait(SELL_EVERY_S):
        tick += 1
        if tick <= ticks and shop.serial < ORDERS_MAX:
            app.machine.run(lambda tx: _sell_some(tx, shop))
        app.machine.run(_scan_out)
        if not shown and (token := app.machine.run(_find_buyers_link)):
            say(f"What a buyer sees: [bold]{links.address(app.settings.address, token)}[/]")
            shown = True


def _open_shop(tx: Tx) -> DemoShop:
    row = tx.conn.execute("SELECT count(*) FROM orders").fetchone()
    return DemoShop(SEED, int(row[0]) if row else 0, f"{tx.now:%y%m%d}")


def _sell_some(tx: Tx, shop: DemoShop) -> None:
    accepted = orders.accept(tx, [shop.next_order(tx) for _ in range(SOLD_AT_ONCE)])
    fulfilment.ship(tx, ShipOrders(tuple(order.order_id for order in accepted)), actor=ACTOR)


def _find_buyers_link(tx: Tx) -> str:
    """Of the newest order that has left, empty while none has."""
    row = tx.conn.execute(
        """SELECT order_id FROM parcel_order JOIN parcel ON parcel.id = parcel_order.parcel_id
           WHERE stage = 'dispatched' ORDER BY parcel.id DESC LIMIT 1"""
    ).fetchone()
    return buyer.link(tx, row[0]).signed(tx.keys.vault) if row else ""


def _scan_out(tx: Tx) -> None:
    """The scan gun at the gate of the warehouse that dispatches by scan."""
    printed = tx.conn.execute(
        """SELECT parcel.id FROM parcel JOIN warehouse ON warehouse.id = parcel.warehouse_id
           WHERE stage = 'printed' AND dispatch_by = 'scan' AND held_reason = '' ORDER BY parcel.moved_at LIMIT %s""",
        (SCANNED_AT_ONCE,),
    )
    waiting = [row[0] for row in printed]
    if waiting:
        fulfilment.dispatch(tx, waiting, by="scan", actor=ACTOR)
