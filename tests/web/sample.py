"""A small world for pages: two shops, a warehouse, an account, orders whose parcels are in every state.

Written straight into the tables, because the pages are what is tested here; every name and number is invented.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from psycopg import Connection

from tests.web.sample_notices import tell_buyers
from waystream.app import load_gateways
from waystream.core.account import account_aad, aggregator_aad, to_text
from waystream.core.events import ParcelEvent
from waystream.core.events.fulfilment import LabelPrinted, ParcelDispatched, WaybillIssued
from waystream.core.events.orders import OrderReceived
from waystream.core.events.tracking import Delivered, OutForDelivery, ParcelCollected, ParcelMoved, TrackEvent
from waystream.core.facts import scan_key
from waystream.core.person import Person, person_aad, to_bytes, warehouse_aad
from waystream.core.ports import CarrierAccount, Contact
from waystream.core.state import Direction, Kind, State
from waystream.kernel.ids import mint_ids
from waystream.kernel.tx import Tx
from waystream.kernel.vault import seal
from waystream.parts.channels import actions as channels
from waystream.parts.channels.model import ChannelIn
from waystream.parts.deadlines import actions as deadlines
from waystream.parts.webhooks import actions as webhooks
from waystream.parts.webhooks.model import EndpointIn

Conn = Connection[Any]

SENDER = Contact(
    name="陈师傅", mobile="13900002200", province="浙江省", city="杭州市", district="余杭区", address="仓前街道 1 号"
)
SCANS = {
    "collected": "【无锡市】【宜兴丁蜀公司】周**（151****0387）已揽收",
    "in_transit": "【无锡市】快件已从【宜兴丁蜀公司】发出，下一站【杭州转运中心】",
    "arrived_at_outlet": "【成都市】快件已到达【武侯网点】",
    "out_for_delivery": "【成都市】武侯网点 郑** 正在派件",
    "delivered": "【成都市】已签收，签收人本人，感谢使用",
}
CODES = {
    "collected": "1",
    "in_transit": "204",
    "arrived_at_outlet": "201",
    "out_for_delivery": "202",
    "delivered": "301",
}


@dataclass(frozen=True, slots=True)
class Spec:
    """One order: its word, its parcels as (stage, state, kind), and how long ago it moved."""

    word: str
    parcels: tuple[tuple[str, str, str], ...]
    ago_min: int
    name: str = "罗**"
    place: str = "四川省 成都市 武侯区"
    carrier: str = "YTO"
    total_fen: int = 48600
    held: bool = False
    late: bool = False


SPECS = (
    Spec("in_transit", (("dispatched", "exception", "stalled"),), 2, late=True),
    Spec("out_for_delivery", (("dispatched", "out_for_delivery", ""),), 4, "吴*", "广东省 深圳市 南山区", "SF", 13600),
    Spec("in_transit", (("dispatched", "in_transit", ""),), 6, "杨**", "陕西省 西安市 雁塔区", "ZTO", 26800),
    Spec("delivered", (("dispatched", "delivered", "in_person"),), 9, "周**", "江苏省 苏州市 姑苏区", "SF", 45900),
    Spec("out_for_delivery", (("dispatched", "attempt_failed", "unreachable"),), 12, "孙*", "湖北省 武汉市 洪山区"),
    Spec("to_ship", (("printed", "", ""),), 15, "张**", "北京市 北京市 朝阳区", "SF", 32900),
    Spec("part_shipped", (("dispatched", "collected", ""), ("issued", "", "")), 15, "何*", "山东省 青岛市 市南区"),
    Spec("out_for_delivery", (("dispatched", "ready_for_pickup", "locker"),), 18, "黄*", "浙江省 宁波市 鄞州区", "SF"),
    Spec("in_transit", (("dispatched", "arrived_at_outlet", ""),), 21, "孙*", "福建省 厦门市 思明区", "ZTO", 8900),
    Spec("in_transit", (("dispatched", "collected", ""),), 24, "王*", "重庆市 重庆市 渝北区", "YTO", 128000),
    Spec("shipped", (("dispatched", "awaiting_collection", ""),), 27, "朱*", "云南省 昆明市 盘龙区", "ZTO", 19800),
    Spec("returning", (("dispatched", "returning", ""),), 33, "郭**", "湖南省 长沙市 岳麓区", "YTO"),
    Spec("delivered", (("dispatched", "delivered", "by_proxy"),), 36, "马*", "浙江省 杭州市 西湖区", "ZTO"),
    Spec("in_transit", (("dispatched", "unknown", ""),), 41, "王*", "上海市 上海市 浦东新区", "SF"),
    Spec("part_delivered", (("dispatched", "delivered", ""), ("dispatched", "out_for_delivery", "")), 44, "罗*"),
    Spec("in_transit", (("dispatched", "intercepted", ""),), 47, "朱*", "广东省 广州市 天河区", "YTO"),
    Spec("in_transit", (("dispatched", "customs", ""),), 48, "朱**", "天津市 天津市 河西区", "SF"),
    Spec("in_transit", (("dispatched", "forwarded", ""),), 52, "王**", "辽宁省 沈阳市 和平区", "YTO"),
    Spec("to_ship", (), 55, "孙**", "新疆 乌鲁木齐市 天山区", held=True),
    Spec("completed", (("dispatched", "delivered", "in_person"),), 61, "郭**", "浙江省 嘉兴市 南湖区", "SF"),
    Spec("closed", (("voided", "", ""),), 64, "高*", "安徽省 合肥市 蜀山区", "YTO"),
    Spec("closed", (("dispatched", "returned", ""),), 72, "张*", "江西省 南昌市 东湖区", "ZTO"),
    Spec("to_ship", (("refused", "", ""),), 75, "李*", "河南省 郑州市 金水区", "YTO"),
    Spec("to_ship", (("doubt", "", ""),), 78, "陈*", "河北省 石家庄市 长安区", "YTO"),
    Spec("to_ship", (), 80, "林**", "广西 南宁市 青秀区"),
    Spec("in_transit", (("dispatched", "lost", ""),), 95, "唐*", "四川省 绵阳市 涪城区", "ZTO"),
)  # fmt: skip

ROUTING = '{"mark": "成都 武侯", "package_name": "成都转运", "sorting_code": "528-A12-03"}'
WAY = ("collected", "in_transit", "arrived_at_outlet", "out_for_delivery", "delivered")


@dataclass(slots=True)
class World:
    """The ids of what was made."""

    shop_ids: list[int] = field(default_factory=list)
    warehouse_id: int = 0
    aggregator_id: int = 0
    accounts: dict[str, int] = field(default_factory=dict)
    order_ids: list[int] = field(default_factory=list)
    parcel_ids: list[int] = field(default_factory=list)
    printer_id: int = 0
    webhook_id: int = 0
    channel_id: int = 0
    delivery_id: int = 0
    replay_id: int = 0
    notice_id: int = 0


def _receiver(spec: Spec) -> Contact:
    province, city, district = spec.place.split()
    return Contact(
        name=spec.name.replace("*", "测"), mobile="15812346021", province=province, city=city, district=district,
        address="桐梓林东路 12 号",
    )  # fmt: skip


def one(conn: Conn, query: str, *values: Any) -> int:
    row = conn.execute(query, list(values)).fetchone()  # type: ignore[call-overload]
    assert row is not None
    return int(row[0])


def make(tx: Tx) -> World:
    """Everything: shops, setup, orders, strangers."""
    world = World()
    _make_setup(tx, world)
    for number, spec in enumerate(SPECS):
        _make_order(tx, world, spec, number)
    for tell in (_make_loose_ends, _tell_today, _open_channels, _tell_outside, _set_deadlines):
        tell(tx, world)
    world.notice_id = tell_buyers(tx, world.shop_ids[0])
    return world


STEPS: tuple[tuple[State, type[TrackEvent]], ...] = (
    (State.COLLECTED, ParcelCollected),
    (State.ARRIVED_AT_OUTLET, ParcelMoved),
    (State.OUT_FOR_DELIVERY, OutForDelivery),
    (State.DELIVERED, Delivered),
)


def _tell_today(tx: Tx, world: World) -> None:
    """Events of today for every order and parcel, as far as each has come."""
    orders = tx.conn.execute("SELECT id, shop_id, warehouse_id FROM orders ORDER BY id").fetchall()
    tx.emit(*(OrderReceived(shop_id=shop, order_id=row, warehouse_id=house) for row, shop, house in orders))
    rows = tx.conn.execute(
        """SELECT p.id, p.shop_id, p.stage, COALESCE(t.state, ''), po.order_id
           FROM parcel p JOIN parcel_order po ON po.parcel_id = p.id LEFT JOIN track t ON t.parcel_id = p.id
           ORDER BY p.id"""
    ).fetchall()
    for parcel_id, shop_id, stage, state, order_id in rows:
        tx.emit(*_events_of(tx, parcel_id, shop_id, stage, state, order_id), cause="push:1")


def _open_channels(tx: Tx, world: World) -> None:
    """Of the first shop: mail that works, a text gateway that fails, a robot that nobody tried."""
    mail = {"host": "smtp.qinghe.example", "port": "587", "security": "starttls", "sender": "service@qinghe.example"}
    sms = {"access_key_id": "LTAI5t", "access_key_secret": "planted-secret", "sign_name": "青禾", "templates":
           "shipped=SMS_71390007(order,carrier)", "address": "https://dysmsapi.aliyuncs.com"}  # fmt: skip
    robot = {"token": "planted-token", "address": "https://oapi.dingtalk.com"}
    gateways = load_gateways()
    ids = [
        channels.add_channel(tx, world.shop_ids[0], name, ChannelIn(title, values, rank=rank), gateways=gateways,
                             actor="staff:1").id
        for name, title, values, rank in (
            ("smtp", "客服邮箱", mail, 20), ("aliyun_sms", "短信", sms, 10), ("dingtalk", "售后群", robot, 100))
    ]  # fmt: skip
    world.channel_id = ids[1]
    tx.conn.execute("UPDATE channel SET worked_at = %s WHERE id = %s", [tx.now, ids[0]])
    tx.conn.execute(
        "UPDATE channel SET failed_at = %s, failed_code = %s, failed_said = %s WHERE id = %s",
        [tx.now, "isv.AMOUNT_NOT_ENOUGH", "Aliyun: 账户余额不足 (isv.AMOUNT_NOT_ENOUGH)", ids[1]],
    )


def _set_deadlines(tx: Tx, world: World) -> None:
    """Those that follow from what stands; the oldest of each kind were missed, and one delivery is doubtful."""
    deadlines.follow(tx, order_ids=world.order_ids, parcel_ids=world.parcel_ids)
    tx.conn.execute(
        "UPDATE deadline SET stand = 'missed', missed_at = %(now)s WHERE due_at <= %(now)s", {"now": tx.now}
    )
    tx.conn.execute(
        """UPDATE deadline SET stand = 'missed', missed_at = %s, doubts = '{elsewhere}' WHERE subject_id = (
               SELECT min(subject_id) FROM deadline WHERE kind = 'verification') AND kind = 'verification'""",
        [tx.now],
    )


def _tell_outside(tx: Tx, world: World) -> None:
    """An endpoint of the first shop that hears, one that fails, and what was told to the first."""
    told = EndpointIn("https://erp.qinghe.example/waystream", ("order.*", "parcel.*"), "ERP")
    hears = webhooks.add_endpoint(tx, world.shop_ids[0], told, actor="staff:1").endpoint
    bad = EndpointIn("https://old.qinghe.example/hook", ("*",))
    fails = webhooks.add_endpoint(tx, world.shop_ids[0], bad, actor="staff:1").endpoint
    world.webhook_id = hears.id
    tx.conn.execute(
        "UPDATE webhook_endpoint SET failures = 4, failing_since = clock_timestamp() WHERE id = %s", [fails.id]
    )
    tx.conn.execute(
        """INSERT INTO webhook_delivery (endpoint_id, shop_id, event_id, type, at, state, attempts, tried_at, status,
                                         said, due_at)
           SELECT %(endpoint)s, shop_id, id, 'order.received', %(now)s::timestamptz - nth * interval '7 min',
                  CASE nth %% 6 WHEN 1 THEN 'waiting' WHEN 2 THEN 'given_up' ELSE 'delivered' END, 1 + nth %% 3,
                  %(now)s::timestamptz - nth * interval '7 min', CASE nth %% 6 WHEN 1 THEN 503 WHEN 2 THEN NULL
                  ELSE 200 END, CASE nth %% 6 WHEN 1 THEN 'busy, come back later' WHEN 2
                  THEN 'erp.qinghe.example did not answer (ReadTimeout)' ELSE 'ok' END,
                  clock_timestamp() + nth * interval '1 h'
           FROM (SELECT id, shop_id, row_number() OVER (ORDER BY id) AS nth FROM event
                 WHERE shop_id = %(shop)s AND name = 'OrderReceived') AS told""",
        {"endpoint": hears.id, "shop": world.shop_ids[0], "now": tx.now},
    )
    world.delivery_id = one(tx.conn, "SELECT min(id) FROM webhook_delivery")


def _events_of(tx: Tx, parcel_id: int, shop_id: int, stage: str, state: str, order_id: int) -> list[ParcelEvent]:
    told: list[ParcelEvent] = []
    if stage in {"issued", "printed", "dispatched"}:
        told.append(WaybillIssued(shop_id=shop_id, parcel_id=parcel_id, binding_id=1, order_ids=(order_id,)))
    if stage in {"printed", "dispatched"}:
        told.append(LabelPrinted(shop_id=shop_id, parcel_id=parcel_id, print_id=1))
    if stage == "dispatched":
        told.append(ParcelDispatched(shop_id=shop_id, parcel_id=parcel_id, order_ids=(order_id,), by="scan", at=tx.now))
        reached = WAY.index(state) if state in WAY else 1
        told += [
            event(
                shop_id=shop_id, parcel_id=parcel_id, before=State.AWAITING_COLLECTION, after=after, kind=Kind.NONE,
                direction=Direction.OUT, at=tx.now, because="",
            )
            for after, event in STEPS
            if WAY.index(after) <= reached
        ]  # fmt: skip
    return told


def _make_setup(tx: Tx, world: World) -> None:
    conn, now = tx.conn, tx.now
    world.shop_ids = [
        one(
            conn, "INSERT INTO shop (code, name, platform, created_at) VALUES (%s, %s, %s, %s) RETURNING id", *shop, now
        )
        for shop in (("qinghe", "青禾茶器", "天猫"), ("shanzhi", "山止家居", "淘宝"))
    ]
    key_id, key = tx.keys.day_key(conn, now.date())
    world.printer_id = one(
        conn,
        """INSERT INTO printer (name, uri, state, said, seen_at)
           VALUES ('A3', 'ipp://10.0.0.9/ipp/print', 'offline', 'out of paper', %s) RETURNING id""",
        now - timedelta(minutes=7),
    )
    world.warehouse_id = one(
        conn,
        """INSERT INTO warehouse (code, name, province, city, district, key_id, sealed, contact_mask, printer_id,
                                  created_at)
           VALUES ('yuhang', '余杭仓', '浙江省', '杭州市', '余杭区', %s, %s, '陈** 139****2200', %s, %s)
           RETURNING id""",
        key_id, seal(key, to_bytes(Person(SENDER)), aad=warehouse_aad("yuhang")), world.printer_id, now,
    )  # fmt: skip
    world.aggregator_id = one(
        conn,
        """INSERT INTO aggregator (code, integration, merchant_id, key_sealed, base_url, first_push_at, last_push_at,
                                   created_at)
           VALUES ('main', 'kdniao', '1687240', %s, 'https://api.kdniao.com', %s, %s, %s) RETURNING id""",
        tx.keys.vault.seal_secret("secret", aad=aggregator_aad("main")), now, now, now,
    )  # fmt: skip
    for priority, carrier in enumerate(("SF", "YTO", "ZTO")):
        account_id = one(
            conn,
            """INSERT INTO carrier_account (aggregator_id, carrier, name, parameters_sealed, priority, available,
                                            created_at) VALUES (%s, %s, %s, '', %s, %s, %s) RETURNING id""",
            world.aggregator_id, carrier, f"{carrier} 余杭", priority, 640 if carrier == "ZTO" else 20000, now,
        )  # fmt: skip
        sealed = tx.keys.vault.seal_secret(to_text(CarrierAccount(carrier=carrier)), aad=account_aad(account_id))
        conn.execute("UPDATE carrier_account SET parameters_sealed = %s WHERE id = %s", [sealed, account_id])
        world.accounts[carrier] = account_id


def _make_order(tx: Tx, world: World, spec: Spec, number: int) -> None:
    conn, at = tx.conn, tx.now - timedelta(minutes=spec.ago_min)
    shop_id = world.shop_ids[number % 2]
    person_id, order_id = mint_ids(2, at_ms=int(at.timestamp() * 1000) - 86_400_000)
    [(key_id, key)] = tx.keys.person_keys(conn, 1)
    conn.execute(
        """INSERT INTO person (id, shop_id, key_id, sealed, plain, name_mask, phone_mask, address_mask, province, city,
                               district, content_hash, created_at)
           VALUES (%s, %s, %s, %s, true, %s, '158****6021', '桐梓林东路**号', %s, %s, %s, %s, %s)""",
        [
            person_id,
            shop_id,
            key_id,
            seal(key, to_bytes(Person(_receiver(spec), "茶具请多包一层，谢谢", "")), aad=person_aad(person_id)),
            spec.name,
            *spec.place.split(),
            b"h",
            at,
        ],
    )
    conn.execute(
        """INSERT INTO orders (id, shop_id, number, warehouse_id, person_id, payment, paid_at, promised_at, total_fen,
               content_hash, word, dispatch, held_at, hold_reason, delivered_at, cancelled_at, received_at, moved_at)
           VALUES (%s, %s, %s, %s, %s, 'prepaid', %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)""",
        [
            order_id, shop_id, f"2611110{88410 - 137 * number}", world.warehouse_id, person_id,
            at - timedelta(hours=20), tx.now + timedelta(hours=-3 if spec.late else 40), spec.total_fen, b"h",
            spec.word, "none" if spec.word in {"to_ship", "closed"} else "all", at if spec.held else None,
            "改地址" if spec.held else "", at if spec.word in {"delivered", "completed"} else None,
            at if spec.word == "closed" else None, at - timedelta(hours=20), at,
        ],
    )  # fmt: skip
    lines = _make_lines(conn, shop_id, order_id, spec, at)
    world.order_ids.append(order_id)
    for nth, parcel in enumerate(spec.parcels):
        _make_parcel(tx, world, spec, (shop_id, order_id, person_id, lines[nth % len(lines)]), parcel, at)


def _make_lines(conn: Conn, shop_id: int, order_id: int, spec: Spec, at: datetime) -> list[int]:
    ids = mint_ids(3, at_ms=int(at.timestamp() * 1000))
    goods = (("TS-01", "旅行茶具套装", 32900), ("GW-02", "白瓷盖碗", 9800), ("GD-03", "公道杯", 6800))
    for line_no, (line_id, (sku, name, price)) in enumerate(zip(ids, goods, strict=True), 1):
        conn.execute(
            """INSERT INTO order_line (id, order_id, shop_id, line_no, sku, name, quantity, price_fen, discount_fen)
               VALUES (%s, %s, %s, %s, %s, %s, 1, %s, %s)""",
            [line_id, order_id, shop_id, line_no, sku, name, price, 900 if line_no == 1 else 0],
        )
    return ids


def _make_parcel(
    tx: Tx, world: World, spec: Spec, of: tuple[int, int, int, int], parcel: tuple[str, str, str], at: datetime
) -> None:
    shop_id, order_id, person_id, line_id = of
    stage, state, kind = parcel
    conn = tx.conn
    parcel_id, take_id, binding_id, label_id, inbox_id = mint_ids(5, at_ms=int(at.timestamp() * 1000))
    issued = stage in {"issued", "printed", "dispatched", "voided"}
    sent = stage == "dispatched"
    conn.execute(
        """INSERT INTO parcel (id, shop_id, warehouse_id, person_id, account_id, carrier, stage, mend, weight_g,
               weighed_g, created_at, issued_at, printed_at, dispatched_at, dispatched_by, moved_at)
           VALUES (%s, %s, %s, %s, %s, %s, %s, %s, 1580, %s, %s, %s, %s, %s, %s, %s)""",
        [
            parcel_id, shop_id, world.warehouse_id, person_id, world.accounts[spec.carrier], spec.carrier, stage,
            "number_pool_empty" if stage == "refused" else "", 1620 if sent else None, at - timedelta(hours=19),
            at - timedelta(hours=18) if issued else None, at - timedelta(hours=18) if issued else None,
            at - timedelta(hours=12) if sent else None, "scan" if sent else "", at,
        ],
    )  # fmt: skip
    conn.execute(
        "INSERT INTO parcel_order (parcel_id, order_id, shop_id) VALUES (%s, %s, %s)",
        [parcel_id, order_id, shop_id],
    )
    conn.execute(
        "INSERT INTO parcel_line (parcel_id, order_line_id, shop_id, quantity) VALUES (%s, %s, %s, 1)",
        [parcel_id, line_id, shop_id],
    )
    conn.execute(
        """INSERT INTO take (id, parcel_id, shop_id, account_id, code, state, number, asked_at, attempts, created_at)
           VALUES (%s, %s, %s, %s, %s, %s, '', %s, 1, %s)""",
        [take_id, parcel_id, shop_id, world.accounts[spec.carrier], f"WS{take_id}", _take_state(stage), at, at],
    )
    world.parcel_ids.append(parcel_id)
    if issued:
        _make_binding(tx, world, spec, (shop_id, parcel_id, take_id, binding_id, label_id), stage, at)
    if sent:
        _make_track(tx, world, (shop_id, parcel_id, binding_id, inbox_id), state, kind, at)


def _take_state(stage: str) -> str:
    return {"asked": "asked", "doubt": "doubt", "refused": "refused", "conflict": "conflict"}.get(stage, "bound")


def _make_binding(
    tx: Tx, world: World, spec: Spec, of: tuple[int, int, int, int, int], stage: str, at: datetime
) -> None:
    shop_id, parcel_id, take_id, binding_id, label_id = of
    conn = tx.conn
    prefix = {"SF": "SF15", "YTO": "YT88", "ZTO": "7887"}[spec.carrier]
    conn.execute(
        """INSERT INTO binding (id, parcel_id, shop_id, take_id, aggregator_id, carrier, number, state, owns_from,
                                bound_at)
           VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)""",
        [
            binding_id, parcel_id, shop_id, take_id, world.aggregator_id, spec.carrier,
            f"{prefix}{parcel_id % 10**10:010d}", "cancelled" if stage == "voided" else "live",
            at - timedelta(hours=40), at - timedelta(hours=18),
        ],
    )  # fmt: skip
    key_id, key = tx.keys.day_key(conn, tx.now.date())
    conn.execute(
        """INSERT INTO label (id, parcel_id, binding_id, shop_id, source, routing, key_id, sealed, made_at, voided_at)
           VALUES (%s, %s, %s, %s, 'own', %s, %s, %s, %s, %s)""",
        [label_id, parcel_id, binding_id, shop_id, ROUTING, key_id, seal(key, b"", aad=b"label"), at,
         at if stage == "voided" else None],
    )  # fmt: skip
    if stage in {"printed", "dispatched"}:
        conn.execute(
            """INSERT INTO print (label_id, parcel_id, shop_id, printer_id, state, queued_at, printed_at)
               VALUES (%s, %s, %s, %s, 'printed', %s, %s)""",
            [label_id, parcel_id, shop_id, world.printer_id, at - timedelta(hours=18), at - timedelta(hours=18)],
        )


def _make_track(tx: Tx, world: World, of: tuple[int, int, int, int], state: str, kind: str, at: datetime) -> None:
    shop_id, parcel_id, binding_id, inbox_id = of
    conn, digest = tx.conn, inbox_id.to_bytes(8, "big")
    key_id, key = tx.keys.day_key(conn, tx.now.date())
    conn.execute(
        """INSERT INTO inbox (digest, id, aggregator_id, received_at, size, key_id, sealed)
           VALUES (%s, %s, %s, %s, 1204, %s, %s)""",
        [digest, inbox_id, world.aggregator_id, at, key_id, seal(key, b"{}", aad=digest)],
    )
    steps = WAY[: WAY.index(state) + 1] if state in WAY else () if state == State.AWAITING_COLLECTION else WAY[:2]
    newest = 0
    for nth, step in enumerate(steps):
        scanned = at - timedelta(hours=4 * (len(steps) - nth - 1), minutes=3)
        newest = scan_key(
            binding_id=binding_id, source="kdniao", raw_time=f"{scanned:%Y-%m-%d %H:%M:%S}", text=SCANS[step]
        )
        conn.execute(
            """INSERT INTO scan (parcel_id, key, shop_id, binding_id, source, at, raw_time, text, code, coded_at, state,
                                 kind, coarse, location, inbox_id, withdrawn_at)
               VALUES (%s, %s, %s, %s, 'kdniao', %s, %s, %s, %s, %s, %s, %s, false, '', %s, NULL)""",
            [
                parcel_id, newest, shop_id, binding_id, scanned, f"{scanned:%Y-%m-%d %H:%M:%S}", SCANS[step],
                CODES[step], at, step, kind if step == "delivered" else "", inbox_id,
            ],
        )  # fmt: skip
    claimed = state not in WAY and state != State.AWAITING_COLLECTION
    conn.execute(
        """INSERT INTO telling (binding_id, source, parcel_id, shop_id, listed_at, claimed_at, claim_code, claim_state,
                                claim_kind, inbox_id) VALUES (%s, 'kdniao', %s, %s, %s, %s, %s, %s, %s, %s)""",
        [
            binding_id, parcel_id, shop_id, at, at if claimed else None, "403" if claimed else "",
            state if claimed else "", kind if claimed else "", inbox_id,
        ],
    )  # fmt: skip
    conn.execute(
        """INSERT INTO track (parcel_id, shop_id, binding_id, state, kind, at, because, collected_at, delivered_at,
                              latest, changed_at)
           VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)""",
        [
            parcel_id, shop_id, binding_id, state, kind, at, _because(claimed, newest),
            at - timedelta(hours=9) if steps else None, at if state == "delivered" else None,
            SCANS[steps[-1]] if steps else "", at,
        ],
    )  # fmt: skip


def _because(claimed: bool, scan: int) -> str:
    if claimed:
        return "claim:kdniao"
    return f"scan:{scan}" if scan else ""


def _make_loose_ends(tx: Tx, world: World) -> None:
    conn, now = tx.conn, tx.now
    inbox_id = one(conn, "SELECT max(id) FROM inbox")
    for n in range(3):
        conn.execute(
            """INSERT INTO stranger (aggregator_id, carrier, number, inbox_id, first_at, last_at)
               VALUES (%s, 'YTO', %s, %s, %s, %s)""",
            [world.aggregator_id, f"YT99000000{n:02d}", inbox_id, now - timedelta(hours=5), now - timedelta(minutes=n)],
        )
    conn.execute(
        """INSERT INTO unknown_code (source, carrier, code, seen, first_at, last_at)
           VALUES ('kdniao', 'SF', '20618', 3, %s, %s)""",
        [now, now],
    )
    conn.execute(
        """INSERT INTO unread_line (aggregator_id, carrier, number, line, reason, parcel_id, shop_id, inbox_id, seen_at)
           SELECT %(aggregator)s, carrier, number, '2026-13-45 10:00:00 【无锡市】快件已发出',
                  'Kdniao: a time stamp cannot be read', parcel_id, shop_id, %(inbox)s, %(now)s
           FROM binding WHERE parcel_id = %(parcel)s
           UNION ALL
           SELECT %(aggregator)s, '', '', '', 'Kdniao: what the push says of this waybill cannot be read', NULL, 0,
                  %(inbox)s, %(now)s""",
        {"aggregator": world.aggregator_id, "inbox": inbox_id, "parcel": world.parcel_ids[0], "now": now},
    )
    conn.execute(
        """INSERT INTO clock_ahead (aggregator_id, pushes, first_at, last_at, told_at, inbox_id)
           VALUES (%s, 3, %s, %s, %s, %s)""",
        [world.aggregator_id, now - timedelta(hours=5), now, now + timedelta(days=7300), inbox_id],
    )
    key_id, key = tx.keys.day_key(conn, now.date())
    conn.execute(
        """INSERT INTO quarantine (digest, aggregator_id, reason, key_id, sealed, received_at)
           VALUES (%s, %s, 'the trace list is no list', %s, %s, %s)""",
        [b"q", world.aggregator_id, key_id, seal(key, b"{", aad=b"quarantine"), now],
    )
