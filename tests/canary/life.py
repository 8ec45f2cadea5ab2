"""A day in the life of Waystream with the planted people in it: the real process, network, printer folder and pushes.

Every door they can come in by is used, and the ways things go wrong: a refusal that quotes them, a push with a bad
signature, one that cannot be read, one for a number that is nobody's, an address that changes, an erased buyer.
"""

import io
import logging
import os
import subprocess
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec
import psycopg
import uvicorn

from tests.canary.planted import ALLOWED, BUYER, MOVED, ON_THE_WAY, SECRETS, SENDER
from tests.crash.story import MERCHANT, wait_until_quiet
from tests.kernel.machine import eventually
from tests.kernel.wire_server import hear_request, reply, serve
from waystream.app import App
from waystream.core.ports import CarrierAccount
from waystream.integrations.kdniao.fakepush import Merchant, News, TraceNews, push_data, seal_push
from waystream.kernel import telemetry
from waystream.kernel.lifecycle import EmbeddedPostgres
from waystream.kernel.server_account import find_binaries
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
from waystream.parts.orders import erasing, lists
from waystream.parts.orders.form import parse_order
from waystream.parts.people import actions as people
from waystream.parts.shops import actions as shops
from waystream.web.app import make_web
from waystream.web.context import WebContext
from waystream.web.doorway import Doorway
from waystream.web.live import Live
from waystream.web.push import PushDesk

ACTOR = "staff:1"
KIND, UNKIND = "kind", "unkind"
WORDS = ON_THE_WAY | BUYER
ROADSIDE = (
    "【成都市】{courier's name}（{courier's mobile}）正在派件",
    "【成都市】快件正在派送，派件员：{courier's name}，电话：{courier's mobile}，网点电话{outlet's landline}",
    "【成都市】业务员{courier's name}已揽收 联系电话:{courier's mobile}",
    "【成都市】已签收，签收人：{signer's name}，如有疑问请电联：{courier's mobile}",
    "【成都市】快件已签收，签收人是【{signer's name}】，电话{buyer's mobile}",
    "【成都市】您的快件已由{signer's name}代签收，收件人{buyer's name}",
    "客户签收人: {buyer's name} 已签收 感谢使用",
    "【成都市】派件不成功，原因：收件人{buyer's name}（{buyer's mobile}）电话无人接听，地址{buyer's address}",
)  # fmt: skip


@dataclass
class Life:
    """What is to be searched when it is over."""

    folder: Path
    app: App
    port: int = 0
    raw_log: io.StringIO = field(default_factory=io.StringIO)
    log: io.StringIO = field(default_factory=io.StringIO)
    secrets: dict[str, str] = field(default_factory=dict)

    @property
    def data(self) -> Path:
        return self.app.settings.data_folder

    @property
    def labels(self) -> Path:
        return self.folder / "labels"

    @property
    def postgres(self) -> EmbeddedPostgres:
        return EmbeddedPostgres(self.data, key_folder=self.app.settings.key_folder)

    def admin(self, command: str) -> None:
        url = psycopg.conninfo.make_conninfo(self.postgres.admin_url, dbname="waystream")
        with psycopg.connect(url, autocommit=True) as conn:
            conn.execute(command)  # type: ignore[arg-type]

    def dump(self) -> bytes:
        """The database as pg_dump writes it."""
        parts = psycopg.conninfo.conninfo_to_dict(self.postgres.admin_url) | {"dbname": "waystream"}
        password = parts.pop("password")
        url = psycopg.conninfo.make_conninfo("", **parts)
        program = find_binaries() / "pg_dump"
        environment = os.environ | {"PGPASSWORD": str(password)}
        return subprocess.run([program, "-d", url], stdout=subprocess.PIPE, check=True, env=environment).stdout

    def get(self, path: str, cookie: str) -> int:
        return self._call(urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", headers={"Cookie": cookie}))

    def push(self, body: bytes) -> int:
        return self._call(urllib.request.Request(f"http://127.0.0.1:{self.port}/push/kdniao/{KIND}", data=body))

    def _call(self, request: urllib.request.Request) -> int:
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            with error:
                return error.code


def order(number: str, *, carrier: str, address: str = BUYER["buyer's address"]) -> Any:
    return parse_order({
        "shop": "canary", "number": number, "warehouse": "w", "carrier": carrier,
        "buyer_remark": BUYER["buyer's remark"], "seller_remark": BUYER["seller's remark"],
        "receiver": {"name": BUYER["buyer's name"], "mobile": BUYER["buyer's mobile"], "phone": BUYER["buyer's phone"],
                     "company": BUYER["buyer's company"], "province": "四川省", "city": "成都市", "district": "武侯区",
                     "address": address},
        "lines": [{"sku": "S", "name": "杯", "quantity": 1, "price_fen": 1000}],
    })  # fmt: skip


def set_up(tx: Tx, life: Life, *, network_url: str, unkind_url: str, key: str) -> None:
    """A shop, a warehouse, and two networks: one that gives numbers and one that refuses, quoting everything."""
    shops.create_shop(tx, code="canary", name=ALLOWED, actor=ACTOR)
    printer = floor.add_printer(tx, PrinterIn("folder", f"folder://{life.labels}"), actor=ACTOR)
    sender = SenderIn(name=SENDER["sender's name"], mobile=SENDER["sender's mobile"],
                      address=SENDER["sender's address"])  # fmt: skip
    warehouse = catalogue.upsert_warehouse(tx, WarehouseIn(
        code="w", name="仓", province="浙江省", city="杭州市", district="余杭区", sender=sender, dispatch_by="print"),
        actor=ACTOR)  # fmt: skip
    catalogue.link_printer(tx, warehouse.id, printer, actor=ACTOR)
    for code, url, secret, carrier in (
        (KIND, network_url, key, "YTO"),
        (UNKIND, unkind_url, SECRETS["aggregator's key"], "ZTO"),
    ):
        added = hub.add_aggregator(tx, AggregatorIn(code, "kdniao", MERCHANT, url, secret),
                                   integrations=frozenset({"kdniao"}), actor=ACTOR)  # fmt: skip
        account = CarrierAccount(carrier, customer_name="c", customer_password=SECRETS["carrier's password"],
                                 month_code="m")  # fmt: skip
        hub.add_account(tx, AccountIn(added.id, carrier, account), actor=ACTOR)


def ship_and_change(life: Life) -> tuple[str, str]:
    """Orders are taken, refused, shipped, moved, reprinted and read; the (code, number) of one that travels."""
    machine = life.app.machine

    def accept(*told: Any) -> list[int]:
        return [one.order_id for one in machine.run(lambda tx: orders.accept(tx, told))]

    def ship(*order_ids: int) -> None:
        machine.run(lambda tx: fulfilment.ship(tx, ShipOrders(order_ids), actor=ACTOR))
        wait_until_quiet(life.app)

    first, second, erased = accept(*(order(f"A{n}", carrier="YTO") for n in (1, 2, 3)))
    refused, unclear = accept(order("A4", carrier="ZTO"), order("A5", carrier="ZTO"))
    ship(first, second, refused)
    ship(unclear)
    accept(order("A3", carrier="YTO", address=MOVED["buyer's second address"]))
    machine.run(lambda tx: orders.unmask(tx, first, actor=ACTOR, reason="call the buyer"))
    machine.run(lambda tx: erasing.erase_receivers(tx, [erased], actor=ACTOR, reason="asked to"))
    machine.run(lambda tx: [lists.search(tx, BUYER[what]) for what in ("buyer's name", "buyer's mobile")])

    def travelling(tx: Tx) -> tuple[int, str, str]:
        row = tx.conn.execute(
            """SELECT parcel.id, take.code, binding.number FROM binding JOIN take ON take.id = binding.take_id
               JOIN parcel ON parcel.id = binding.parcel_id JOIN parcel_order ON parcel_id = parcel.id
               WHERE order_id = %s AND binding.state = 'live'""".replace("ON parcel_id", "ON parcel_order.parcel_id"),
            [first]).fetchone()  # fmt: skip
        assert row is not None, "the kind network gave a number"
        return row[0], row[1], row[2]

    parcel_id, code, number = machine.run(travelling)
    machine.run(lambda tx: floor.reprint(tx, parcel_id, reason="smeared", actor=ACTOR))
    wait_until_quiet(life.app)
    return code, number


def push_everything(life: Life, *, code: str, number: str, key: str) -> None:
    """Traces with couriers and signers in them, well and badly signed, readable and not, ours and nobody's."""
    merchant, now = Merchant(MERCHANT, key), datetime.now(UTC)
    traces = tuple(
        TraceNews(now + timedelta(minutes=n), "301" if "签收" in words else "202", _filled(words), "成都市")
        for n, words in enumerate(ROADSIDE)
    )

    def data(its_number: str, its_code: str, told: Sequence[TraceNews]) -> str:
        news = News("YTO", its_number, its_code, "3", tuple(told), reason=_filled("{buyer's name} {buyer's mobile}"))
        return push_data(MERCHANT, "102", [news], at=now)

    good = data(number, code, traces)
    assert life.push(seal_push(merchant, "102", good)) == 200
    assert life.push(seal_push(merchant, "102", good)) == 200
    assert life.push(seal_push(merchant, "102", good, forged=True)) == 401
    for n, trace in enumerate(traces):  # each as the newest: its words are what lists show
        assert life.push(seal_push(merchant, "102", data(number, code, traces[: n + 1]))) == 200, trace.code
    gone = News("YTO", number, code, "0", (), success=False, reason=_filled("{buyer's name} {buyer's mobile} 查无此单"))
    assert life.push(seal_push(merchant, "102", push_data(MERCHANT, "102", [gone], at=now))) == 200
    assert life.push(seal_push(merchant, "102", data("YT0000000000001", "", traces))) == 200
    assert life.push(seal_push(merchant, "102", _filled("{\"{buyer's name}\": {buyer's mobile}"))) == 200
    assert life.push(seal_push(merchant, "102", good.replace("20", _filled("{signer's name}")))) == 200
    wait_until_quiet(life.app)


def _filled(words: str) -> str:
    for what, value in WORDS.items():
        words = words.replace("{" + what + "}", value)
    return words


def look_people_up(life: Life) -> None:
    """Somebody signs in and searches for the buyer on the pages; the wrong way too."""

    def sign_in(tx: Tx) -> str:
        first = people.ensure_owner(tx)
        assert first is not None
        session = people.sign_in(tx, login=first.login, password=first.password)
        assert session is not None
        life.secrets |= {"the first password": first.password, "a session": session.token}
        people.change_password(tx, session.staff_id, old=first.password, new="canary-Own-4417-password",
                               token=session.token)  # fmt: skip
        return session.token

    life.secrets["an own password"] = "canary-Own-4417-password"
    cookie = f"waystream_session={life.app.machine.run(sign_in)}"
    for path in ("/orders", "/parcels", "/api/orders", "/nowhere"):
        for what in ("buyer's name", "buyer's mobile"):
            assert life.get(f"{path}?q={quote(BUYER[what])}", cookie) < 500
    assert life.get("/orders/" + quote(BUYER["buyer's mobile"]), cookie) in (404, 422)


@contextmanager
def unkind_network() -> Iterator[str]:
    """Refuses the first call for a number and is unclear about the next, quoting whom they were about."""
    reason = _filled("收件人{buyer's name}的电话{buyer's mobile}有误，地址{buyer's address}超区")
    codes = iter(("105", "106"))

    def talk(connection: Any) -> None:
        while asked := hear_request(connection):
            code = next(codes) if b"RequestType=1007" in asked else "105"
            said = {"EBusinessID": MERCHANT, "Success": False, "ResultCode": code, "Reason": reason}
            connection.sendall(reply("200 OK", msgspec.json.encode(said)))

    with serve(talk) as server:
        yield f"http://127.0.0.1:{server.port}"


@contextmanager
def web_open(life: Life) -> Iterator[None]:
    """The pages and the push door on a port of their own, as `waystream up` serves them."""
    app, live = life.app, Live(life.app.machine)
    desk = PushDesk(work=app.machine, networks=app.networks, door=app.open_door())
    context = WebContext(app.page, app.machine, app.networks, live, "http://127.0.0.1")
    config = uvicorn.Config(Doorway(make_web(context), desk), port=0, log_config=None, access_log=True)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    live.start()
    desk.start()
    thread.start()
    try:
        eventually(lambda: server.started)
        life.port = server.servers[0].sockets[0].getsockname()[1]
        yield
    finally:
        live.close()
        server.should_exit = True
        thread.join()
        desk.stop()


@contextmanager
def overheard(life: Life) -> Iterator[None]:
    """Everything that is logged, at DEBUG: as Waystream writes its log, and our own loggers' words without its care."""
    root, own = logging.getLogger(), logging.getLogger("waystream")
    handlers, level, own_level = root.handlers[:], root.level, own.level
    talkative = {name: logging.getLogger(name).level for name in telemetry.TOO_TALKATIVE}
    raw = logging.StreamHandler(life.raw_log)
    telemetry.configure_logging("DEBUG", json=True, stream=life.log)
    own.addHandler(raw)
    own.setLevel(logging.DEBUG)
    try:
        yield
    finally:
        logging.captureWarnings(False)
        own.removeHandler(raw)
        own.setLevel(own_level)
        root.handlers[:] = handlers
        root.setLevel(level)
        for name, before in talkative.items():
            logging.getLogger(name).setLevel(before)
