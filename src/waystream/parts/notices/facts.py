"""The named facts a template may use, and how they are read off an order as it is now.

Each fact has a name in both languages; one that is not known is an empty text. Guaranteed: no fact holds more than one
line, and none says more of a person than the buyer's own name.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from zoneinfo import ZoneInfo

from waystream.core.carriers import name_of
from waystream.core.pickup import read_pickup
from waystream.core.state import Kind as TrackKind
from waystream.core.state import State
from waystream.parts.notices.model import ParcelNow

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
PARCELS_NAMED = 3


@dataclass(frozen=True, slots=True)
class Fact:
    """`maybe`: it is not always known, so that the words around it stand in brackets."""

    name: str
    zh: str
    about: Mapping[str, str]
    maybe: bool = True


FACTS: tuple[Fact, ...] = (
    Fact("shop", "店铺", {"zh": "店铺名称", "en": "the shop's name"}, maybe=False),
    Fact("order", "订单号", {"zh": "订单号", "en": "the order's number"}, maybe=False),
    Fact("name", "收件人", {"zh": "收件人姓名", "en": "the receiver's name"}),
    Fact("goods", "商品", {"zh": "商品名称", "en": "what was ordered"}),
    Fact("carrier", "承运商", {"zh": "承运商名称", "en": "the carrier's name"}),
    Fact("number", "运单号", {"zh": "运单号", "en": "the waybill number"}),
    Fact("parcels", "包裹数", {"zh": "这条消息说的包裹数", "en": "how many parcels it is about"}),
    Fact("place", "取件点", {"zh": "快递柜或驿站", "en": "the locker or station"}),
    Fact("code", "取件码", {"zh": "取件码", "en": "the pickup code"}),
    Fact("cause", "原因", {"zh": "已知的原因", "en": "the cause, when it is known"}),
    Fact("expected", "预计送达", {"zh": "预计送达日期", "en": "the expected day"}),
    Fact("link", "查询链接", {"zh": "买家查询页的链接", "en": "the link to the buyer's page"}),
)
MAYBE = frozenset(fact.name for fact in FACTS if fact.maybe)


@cache
def list_names() -> Mapping[str, str]:
    """Every way to write a fact → its name: `order`, `订单号`."""
    return {fact.name: fact.name for fact in FACTS} | {fact.zh: fact.name for fact in FACTS}


@dataclass(frozen=True, slots=True)
class OrderNow:
    """An order as far as a message may speak of it. `link`: the buyer's page, empty where there is none."""

    id: int
    shop_id: int
    shop_code: str
    shop: str
    number: str
    goods: str
    pieces: int
    promised_at: datetime | None
    cancelled: bool
    person_id: int
    link: str = field(default="", repr=False)


#: What went wrong, as a buyer is told it.
CAUSES: Mapping[str, tuple[str, str]] = {
    TrackKind.STALLED: ("中转停留较久", "it is held up on the way"),
    TrackKind.OVERDUE: ("派送超时", "the last leg takes longer"),
    TrackKind.DELAYED: ("承运商通知延迟", "the carrier reports a delay"),
    TrackKind.MISROUTED: ("被错分到其他线路，正在转回", "it was sorted to a wrong place and is being redirected"),
    TrackKind.CUSTOMS_HELD: ("清关中需要更多时间", "customs takes more time"),
    TrackKind.UNREACHABLE: ("快递员没能联系上您", "the courier could not reach you"),
    TrackKind.BAD_ADDRESS: ("地址不够详细", "the address is incomplete"),
    TrackKind.WRONG_PHONE: ("电话无法接通", "the phone number does not work"),
    TrackKind.OUT_OF_RANGE: ("地址超出派送范围", "the address is outside the delivery area"),
    TrackKind.REFUSED: ("收件时被拒收", "it was refused at the door"),
    "silent": ("物流有一段时间没有更新", "there has been no news from the carrier for a while"),
}


def collect(
    order: OrderNow,
    parcels: Sequence[ParcelNow],
    *,
    name: str,
    details: Sequence[str],
    language: str,
    zone: ZoneInfo,
    numbers: Sequence[str] = (),
) -> Mapping[str, str]:
    """Every fact by its name. `numbers`: all orders in these parcels, where there is more than this one."""
    and_ = "、" if language == "zh" else ", "
    pickups = [read_pickup(parcel.latest) for parcel in parcels if parcel.state is State.READY_FOR_PICKUP]
    return {
        "shop": order.shop,
        "order": and_.join(dict.fromkeys(numbers)) or order.number,
        "name": name,
        "goods": _goods(order, language),
        "carrier": and_.join(dict.fromkeys(_carrier(parcel, language) for parcel in parcels)),
        "number": _several([parcel.number for parcel in parcels if parcel.number], language),
        "parcels": str(len(parcels)) if parcels else "",
        "place": and_.join(dict.fromkeys(each.place for each in pickups if each.place)),
        "code": and_.join(dict.fromkeys(each.code for each in pickups if each.code)),
        "cause": _cause(parcels, details, language),
        "expected": _day(order.promised_at, language, zone),
        "link": order.link,
    }


def _carrier(parcel: ParcelNow, language: str) -> str:
    return name_of(parcel.carrier, "zh" if language == "zh" else "en")


def _goods(order: OrderNow, language: str) -> str:
    if order.pieces <= 1 or not order.goods:
        return order.goods
    return (
        f"{order.goods} 等 {order.pieces} 件" if language == "zh" else f"{order.goods} and more, {order.pieces} pieces"
    )


def _several(numbers: Sequence[str], language: str) -> str:
    named = ("、" if language == "zh" else ", ").join(numbers[:PARCELS_NAMED])
    if len(numbers) <= PARCELS_NAMED:
        return named
    return f"{named} 等 {len(numbers)} 件" if language == "zh" else f"{named} and {len(numbers) - PARCELS_NAMED} more"


def _cause(parcels: Sequence[ParcelNow], details: Sequence[str], language: str) -> str:
    """Where a slow-down is, as it is named; else the parcel's own trouble, then the word that the rule knew."""
    if places := [word for word in details if re.search(r"[^a-z_]", word)]:
        return places[0]
    words = [parcel.kind.value for parcel in parcels if parcel.kind.value in CAUSES] or [
        word for word in details if word
    ]
    if not words:
        return ""
    if words[0] in CAUSES:
        return CAUSES[words[0]][0 if language == "zh" else 1]
    return re.sub(r"^[a-z_]+$", "", words[0])


def _day(at: datetime | None, language: str, zone: ZoneInfo) -> str:
    if at is None:
        return ""
    here = at.astimezone(zone)
    return f"{here.month} 月 {here.day} 日" if language == "zh" else f"{here.day} {_MONTHS[here.month - 1]}"
