"""Our wish for a number as Kdniao's 1007 document: yuan, kilograms, cubic metres, and no forbidden character.

Which account field a carrier needs is not published, so all that are filled in are sent as they are.
"""

from waystream.core.ports import Contact, Goods, TakeRequest
from waystream.integrations.kdniao.documents import AddService, Commodity, Party, Shipment
from waystream.integrations.kdniao.manifest import MANIFEST
from waystream.integrations.kdniao.wire import text

_FORBIDDEN = dict.fromkeys(map(ord, MANIFEST.forbidden_characters))
_CASH_ON_DELIVERY, _INSURANCE = "COD", "INSURE"


def clean(words: str) -> str:
    """A text without the characters the network rejects."""
    return text(words.translate(_FORBIDDEN)).strip()


def shipment(request: TakeRequest) -> Shipment:
    """The 1007 document; the network subscribes to tracking by itself (IsSubscribe)."""
    account = request.account
    postcode = MANIFEST.postcode_default if account.carrier in MANIFEST.postcode_carriers else ""
    return Shipment(
        order_code=request.code,
        shipper_code=account.carrier,
        pay_type=account.pay_type,
        exp_type=account.product_type,
        customer_name=account.customer_name or None,
        customer_pwd=account.customer_password or None,
        month_code=account.month_code or None,
        send_site=account.send_site or None,
        send_staff=account.send_staff or None,
        ware_house_id=account.warehouse_code or None,
        template_size=account.template_size or None,
        sender=_party(request.sender, postcode),
        receiver=_party(request.receiver, postcode),
        commodity=[_commodity(goods) for goods in request.goods],
        add_service=_services(request),
        quantity=request.quantity,
        weight=_thousandths(request.weight_g),
        volume=round(request.volume_cm3 / 1_000_000, 6) if request.volume_cm3 else None,
        remark=clean(request.remark) or None,
        is_notice=1,
        is_return_print_template=1,
        is_subscribe="1",
    )


def _party(contact: Contact, postcode: str) -> Party:
    return Party(
        company=clean(contact.company) or None,
        name=clean(contact.name),
        tel=clean(contact.phone) or None,
        mobile=clean(contact.mobile) or None,
        post_code=clean(contact.postcode) or postcode or None,
        province_name=_province(clean(contact.province)),
        city_name=clean(contact.city),
        exp_area_name=clean(contact.district),
        address=clean(contact.address),
    )


def _province(name: str) -> str:
    """Municipalities are written 北京, not 北京市; provinces keep their 省."""
    short = name.removesuffix("市")
    return short if short in MANIFEST.short_provinces else name


def _commodity(goods: Goods) -> Commodity:
    return Commodity(
        goods_name=clean(goods.name),
        goods_code=clean(goods.code) or None,
        goodsquantity=goods.quantity,
        goods_price=goods.price_fen / 100 if goods.price_fen else None,
        goods_weight=_thousandths(goods.weight_g),
    )


def _services(request: TakeRequest) -> list[AddService] | None:
    amounts = ((_CASH_ON_DELIVERY, request.cod_fen), (_INSURANCE, request.declared_fen))
    services = [AddService(name=name, value=_yuan(fen)) for name, fen in amounts if fen]
    return services or None


def _yuan(fen: int) -> str:
    return f"{fen // 100}.{fen % 100:02d}"


def _thousandths(grams: int) -> float | None:
    return grams / 1000 if grams else None
