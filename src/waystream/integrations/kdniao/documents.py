"""Every JSON document of Kdniao's wire, field by field, its misspellings included (Goodsquantity, DestinatioCode).

The other side writes numbers as strings and strings as numbers, so most fields are a loose `Word`: `wire.text` reads
it. A field that is None is not sent. Which document goes with which instruction stands in its docstring.
"""

from typing import Any, TypeAlias

import msgspec
from msgspec import field

Word: TypeAlias = str | int | float | bool | None
Words: TypeAlias = list[Word] | str | None


class Document(msgspec.Struct, rename="pascal", omit_defaults=True, kw_only=True, gc=False):
    """Pascal-cased on the wire, absent when None."""


class Party(Document):
    """Sender or receiver of 1007, 1008 and 8008."""

    company: Word = None
    name: Word = None
    tel: Word = None
    mobile: Word = None
    post_code: Word = None
    province_name: Word = None
    city_name: Word = None
    exp_area_name: Word = None
    address: Word = None


class Commodity(Document):
    """`Goodsquantity` is how the vendor spells it; some platforms send `GoodsQuantity`."""

    goods_name: Word = None
    goods_code: Word = None
    goodsquantity: Word = None
    goods_quantity: Word = None
    goods_price: Word = None
    goods_weight: Word = None
    goods_desc: Word = None
    goods_vol: Word = None


class AddService(Document):
    """COD and INSURE carry yuan with two decimals."""

    name: Word = None
    value: Word = None
    customer_id: Word = field(default=None, name="CustomerID")


class Dutiable(Document):
    declared_value: Word = None


class Shipment(Document):
    """What 1007 asks for, and the long form of 1008 and 8008."""

    order_code: Word = None
    shipper_code: Word = None
    logistic_code: Word = None
    pay_type: Word = None
    exp_type: Word = None
    customer_name: Word = None
    customer_pwd: Word = None
    month_code: Word = None
    send_site: Word = None
    send_staff: Word = None
    member_id: Word = field(default=None, name="MemberID")
    call_back: Word = None
    callback: Word = None
    custom_area: Word = None
    ware_house_id: Word = field(default=None, name="WareHouseID")
    trans_type: Word = None
    thr_order_code: Word = None
    is_return_sign_bill: Word = None
    operate_require: Word = None
    cost: Word = None
    other_cost: Word = None
    sender: Party | None = None
    receiver: Party | None = None
    commodity: list[Commodity] | None = None
    add_service: list[AddService] | None = None
    is_notice: Word = None
    start_date: Word = None
    end_date: Word = None
    weight: Word = None
    quantity: Word = None
    volume: Word = None
    remark: Word = None
    is_return_print_template: Word = None
    template_size: Word = None
    is_send_message: Word = None
    is_subscribe: Word = None
    packing_type: Word = None
    delivery_method: Word = None
    currency_code: Word = None
    dutiable: Dutiable | None = None
    sort: Word = None


class ShipmentOrder(Document):
    """`Order` of the answer to 1007. `Destinatio…` is not our typing."""

    order_code: Word = None
    shipper_code: Word = None
    logistic_code: Word = None
    kdn_order_code: Word = field(default=None, name="KDNOrderCode")
    mark_destination: Word = None
    origin_code: Word = None
    origin_name: Word = None
    destinatio_code: Word = None
    destinatio_name: Word = None
    sorting_code: Word = None
    package_code: Word = None
    package_name: Word = None
    destination_allocation_centre: Word = None
    sign_waybill_code: Word = None
    trans_type: Word = None
    transport_type: Word = None
    qr_code: Word = field(default=None, name="QRCode")
    shipper_info: Any = None


class ShipmentReply(Document):
    """The answer to 1007; `SubOrders` and `SubPrintTemplates` are an array or one string."""

    e_business_id: Word = field(default=None, name="EBusinessID")
    success: Word = None
    result_code: Word = None
    reason: Word = None
    uniquer_request_number: Word = None
    order: ShipmentOrder | None = None
    print_template: Word = None
    estimated_delivery_time: Word = None
    callback: Word = None
    sub_count: Word = None
    sub_orders: Words = None
    sub_print_templates: Words = None
    sign_bill_print_template: Word = None


class Cancel(Document):
    """1147."""

    shipper_code: Word = None
    order_code: Word = None
    exp_no: Word = None
    customer_name: Word = None
    customer_pwd: Word = None
    month_code: Word = None


class PlainReply(Document):
    """The answer to 1147, and to anything that is refused before it is read."""

    e_business_id: Word = field(default=None, name="EBusinessID")
    success: Word = None
    reason: Word = None
    result_code: Word = None


class BalanceQuery(Document):
    """1127."""

    shipper_code: Word = None
    customer_name: Word = None
    customer_pwd: Word = None
    station_code: Word = None
    station_name: Word = None


class EorderBalance(Document):
    available_num: Word = None
    total_num: Word = None


class BalanceReply(PlainReply):
    """The answer to 1127."""

    eorder_balance: EorderBalance | None = None


class AccountApplication(Document):
    """1107. `ProivnceCode` is not our typing."""

    shipper_code: Word = None
    station_code: Word = None
    station_name: Word = None
    apply_id: Word = field(default=None, name="ApplyID")
    company: Word = None
    name: Word = None
    tel: Word = None
    mobile: Word = None
    province_name: Word = None
    proivnce_code: Word = None
    city_name: Word = None
    city_code: Word = None
    exp_area_name: Word = None
    exp_area_code: Word = None
    address: Word = None


class SubscribeReply(PlainReply):
    """The answer to 1008 and 8008."""

    update_time: Word = None
    shipper_code: Word = None
    logistic_code: Word = None
    order_code: Word = None
    callback: Word = None
    estimated_delivery_time: Word = None


class TraceQuery(Document):
    """1002 and 8001. `Sort`: 0 ascending, 1 descending."""

    order_code: Word = None
    shipper_code: Word = None
    logistic_code: Word = None
    customer_name: Word = None
    sort: Word = None


class TraceRow(Document):
    """One line of a trace list; `Action` and `Location` only in 102 and 8001."""

    accept_time: Word = None
    accept_station: Word = None
    location: Word = None
    action: Word = None
    remark: Word = None


class Person(Document):
    """Courier who collected or the outlet that sent; an array in 103, one object in 102."""

    person_name: Word = None
    person_tel: Word = None
    person_code: Word = None
    pickup_code: Word = None
    station_name: Word = None
    station_address: Word = None
    station_tel: Word = None


class Tracked(Document):
    """One waybill: an item of a 101, 102, 103 or 107 push, or the answer to 1002 and 8001."""

    e_business_id: Word = field(default=None, name="EBusinessID")
    order_code: Word = None
    shipper_code: Word = None
    logistic_code: Word = None
    success: Word = None
    reason: Word = None
    result_code: Word = None
    state: Word = None
    state_ex: Word = None
    location: Word = None
    callback: Word = None
    call_back: Word = None
    traces: list[TraceRow] | None = None
    estimated_delivery_time: Word = None
    station: Word = None
    station_tel: Word = None
    station_add: Word = None
    delivery_man: Word = None
    delivery_man_tel: Word = None
    next_city: Word = None
    picker_info: Person | list[Person] | None = None
    sender_info: Person | list[Person] | None = None
    # 103: the life of a pickup order
    kdn_order_code: Word = field(default=None, name="KDNOrderCode")
    call_request_type: Word = None
    create_time: Word = None
    weight: Word = None
    cost: Word = None
    insure_amount: Word = None
    package_fee: Word = None
    over_fee: Word = None
    other_fee: Word = None
    total_fee: Word = None
    first_weight_amount: Word = None
    continuous_weight_amount: Word = None
    # 107: cash on delivery
    order_state: Word = None
    account_name: Word = None
    account_tel: Word = None
    account_num: Word = None


class PushDocument(Document):
    """RequestData of 101, 102, 103 and 107. `Count` is a string."""

    e_business_id: Word = field(default=None, name="EBusinessID")
    push_time: Word = None
    count: Word = None
    data: list[Tracked] | None = None


class PushReply(Document, omit_defaults=False):
    """What the merchant answers to a push."""

    e_business_id: str = field(name="EBusinessID")
    update_time: str
    success: bool
    reason: str = ""


class SmsReceiver(Document):
    """One message of 8101. Published are the name and the mobile; signature, template and what stands in it are our
    reading of "registered signature and template"."""

    receiver_name: Word = None
    receiver_mobile: Word = None
    sign_name: Word = None
    template_type: Word = None
    template_param: dict[str, str] | None = None


class SmsOrder(Document):
    """8101. `CallBack` is echoed in the receipt, which is pushed to it."""

    detail: list[SmsReceiver]
    member_id: Word = field(default=None, name="MemberID")
    call_back: Word = None


class SmsTemplate(Document, omit_defaults=False):
    template_type: Word
    message_template: Word
    is_open: Word


class SmsTemplates(Document):
    """8102."""

    detail: list[SmsTemplate]
    member_id: Word = field(default=None, name="MemberID")


class SmsBlack(Document, omit_defaults=False):
    mobile: Word
    is_black: Word


class SmsBlacklist(Document):
    """8103: whom the aggregator may send nothing to."""

    detail: list[SmsBlack]
    member_id: Word = field(default=None, name="MemberID")


class SmsTold(Document):
    """What became of one message."""

    call_back: Word = None
    receiver_mobile: Word = None
    success: Word = None
    reason: Word = None
    result_code: Word = None


class SmsReceipts(Document):
    """The receipts of 8101, pushed as a signed form with that request type."""

    e_business_id: Word = field(default=None, name="EBusinessID")
    push_time: Word = None
    data: list[SmsTold] | None = None
