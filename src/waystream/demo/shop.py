"""A seeded shop: its warehouses, its goods, its buyers. Every name, phone and address is invented."""

import random
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from waystream.core.ports import CarrierAccount
from waystream.kernel.tx import Tx
from waystream.parts.catalogue import actions as catalogue
from waystream.parts.catalogue.model import DispatchBy, SenderIn, SkuIn, WarehouseIn
from waystream.parts.floor import actions as floor
from waystream.parts.floor.model import PrinterIn
from waystream.parts.hub import actions as hub
from waystream.parts.hub.model import AccountIn, AggregatorIn
from waystream.parts.orders.form import OrderIn, parse_order
from waystream.parts.shops import actions as shops
from waystream.parts.shops.model import Policy, parse_policy

AGGREGATOR = "demo"
CARRIERS = ("SF", "ZTO", "YTO", "YD", "STO", "JTSD")
ACTOR = "system"

_SHOPS = (("qinghe", "青禾茶器", "天猫"), ("shanzhi", "山止家居", "京东"), ("xiaoman", "小满童装", "抖音"))
_WAREHOUSES: tuple[tuple[str, str, str, str, str, DispatchBy], ...] = (
    ("yuhang", "余杭仓", "浙江省", "杭州市", "余杭区", "print"),
    ("foshan", "佛山仓", "广东省", "佛山市", "南海区", "scan"),
)
_GOODS = {
    "qinghe": (
        ("T-101", "白瓷盖碗", 9800, 320),
        ("T-102", "公道杯", 6800, 260),
        ("T-201", "旅行茶具套装", 32900, 1400),
    ),
    "shanzhi": (("H-11", "亚麻靠枕", 8900, 700), ("H-12", "原木托盘", 12900, 1100), ("H-20", "羊毛盖毯", 45900, 1900)),
    "xiaoman": (("K-01", "纯棉连体衣", 12900, 240), ("K-02", "针织开衫", 15900, 310), ("K-09", "防风外套", 26800, 620)),
}
_PLACES = (
    ("北京", "北京市", "朝阳区"),
    ("上海", "上海市", "青浦区"),
    ("广东省", "深圳市", "南山区"),
    ("广东省", "广州市", "天河区"),
    ("四川省", "成都市", "武侯区"),
    ("湖北省", "武汉市", "洪山区"),
    ("陕西省", "西安市", "雁塔区"),
    ("江苏省", "南京市", "鼓楼区"),
    ("山东省", "青岛市", "市南区"),
    ("湖南省", "长沙市", "岳麓区"),
    ("福建省", "厦门市", "思明区"),
    ("辽宁省", "沈阳市", "和平区"),
    ("云南省", "昆明市", "盘龙区"),
    ("重庆", "重庆市", "渝北区"),
    ("河南省", "郑州市", "金水区"),
    ("黑龙江省", "哈尔滨市", "道里区"),
)
_FAMILY, _GIVEN = "赵钱孙李周吴郑王陈林黄罗何郭马朱", "伟芳娜敏静磊洋艳勇军杰娟涛明超秀霞平刚桂"
_STREETS = ("桐梓林东路", "文三路", "解放大道", "人民南路", "科技园路", "海棠路", "梧桐街", "长江路")


@dataclass(slots=True)
class DemoShop:
    """Orders as they come in. `serial` goes on after a restart, so no number is used twice."""

    seed: int
    serial: int
    tag: str
    dice: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.dice = random.Random(f"{self.seed}/{self.serial}")

    def next_order(self, tx: Tx) -> OrderIn:
        """One more order, paid a moment ago."""
        self.serial += 1
        shop = self.dice.choice(_SHOPS)[0]
        lines = [self._line(shop) for _ in range(self.dice.choices((1, 2, 3), (6, 3, 1))[0])]
        paid = sum(int(line["price_fen"]) * int(line["quantity"]) for line in lines)
        cod = self.dice.random() < 0.08
        return parse_order(
            {
                "shop": shop,
                "number": f"{self.tag}{self.serial:06d}",
                "warehouse": self.dice.choices([row[0] for row in _WAREHOUSES], (3, 1))[0],
                "payment": "cod" if cod else "prepaid",
                "cod_fen": paid if cod else 0,
                "paid_at": (tx.now - timedelta(minutes=self.dice.randint(1, 90))).isoformat(),
                "ship_by": (tx.now + timedelta(hours=24)).isoformat(),
                "promised_at": (tx.now + timedelta(hours=72)).isoformat(),
                "declared_fen": paid if paid > 40_000 else 0,
                "carrier": self.dice.choices(CARRIERS, (2, 4, 3, 3, 2, 2))[0],
                "buyer_remark": self.dice.choice(("", "", "", "多包一层，谢谢", "周末送货")),
                "receiver": self._receiver(),
                "lines": lines,
            }
        )

    def _line(self, shop: str) -> dict[str, str | int]:
        code, name, price, _ = self.dice.choice(_GOODS[shop])
        return {"sku": code, "name": name, "quantity": self.dice.choices((1, 2, 3), (8, 2, 1))[0], "price_fen": price}

    def _receiver(self) -> dict[str, str]:
        province, city, district = self.dice.choice(_PLACES)
        given = "".join(self.dice.choices(_GIVEN, k=self.dice.choice((1, 2))))
        return {
            "name": self.dice.choice(_FAMILY) + given,
            "mobile": "1" + self.dice.choice("3589") + "".join(self.dice.choices("0123456789", k=9)),
            "province": province,
            "city": city,
            "district": district,
            "address": f"{self.dice.choice(_STREETS)}{self.dice.randint(1, 299)}号{self.dice.randint(1, 30)}栋",
        }


def set_up(tx: Tx, *, network_url: str, merchant_id: str, key: str, labels: Path, integrations: frozenset[str]) -> None:
    """Make everything the shop needs, once: a second start finds it there."""
    if shops.list_shops(tx):
        return
    printer = floor.add_printer(tx, PrinterIn("demo", labels.as_uri().replace("file://", "folder://")), actor=ACTOR)
    for code, name, platform in _SHOPS:
        shop = shops.create_shop(tx, code=code, name=name, platform=platform, actor=ACTOR, policy=_policy(code))
        catalogue.upsert_skus(tx, shop.id, [
            SkuIn(code=sku, name=title, weight_g=weight, unit_cost_fen=price // 3)
            for sku, title, price, weight in _GOODS[code]
        ])  # fmt: skip
    for code, name, province, city, district, dispatch_by in _WAREHOUSES:
        warehouse = catalogue.upsert_warehouse(tx, WarehouseIn(
            code=code, name=name, province=province, city=city, district=district, dispatch_by=dispatch_by,
            sender=SenderIn(name=name, mobile="13800000000", address="仓前街道1号"),
        ), actor=ACTOR)  # fmt: skip
        catalogue.link_printer(tx, warehouse.id, printer, actor=ACTOR)
    _open_accounts(tx, network_url=network_url, merchant_id=merchant_id, key=key, integrations=integrations)


def _policy(code: str) -> Policy:
    """One shop trusts every signature; one waits for the buyer unless he signed himself."""
    return parse_policy(["in_person"], 2) if code == "shanzhi" else Policy()


def _open_accounts(tx: Tx, *, network_url: str, merchant_id: str, key: str, integrations: frozenset[str]) -> None:
    aggregator = hub.add_aggregator(
        tx, AggregatorIn(AGGREGATOR, "kdniao", merchant_id, network_url, key), integrations=integrations, actor=ACTOR
    )
    for carrier in CARRIERS:
        parameters = CarrierAccount(carrier, customer_name=f"demo-{carrier.lower()}", customer_password="demo",
                                    month_code="demo", send_site="demo")  # fmt: skip
        hub.add_account(tx, AccountIn(aggregator.id, f"{carrier} demo", parameters), actor=ACTOR)
