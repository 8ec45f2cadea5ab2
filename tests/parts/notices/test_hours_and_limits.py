"""When a buyer is not told: at night, too often, against his wish, or through nothing that reaches him."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.parts.notices.conftest import Desk, Recording
from waystream.core.channels import ChannelKind
from waystream.core.errors import Conflict
from waystream.core.state import State
from waystream.parts.notices import actions
from waystream.parts.notices.actions import Saying
from waystream.parts.orders import erasing

NIGHT = datetime(2026, 11, 12, 15, 0, tzinfo=UTC)  # 23:00 in Shanghai
MORNING = datetime(2026, 11, 13, 0, 0, tzinfo=UTC)  # 08:00


def test_what_happens_at_night_is_told_in_the_morning_if_it_still_holds(desk: Desk) -> None:
    still, gone = desk.order("A1"), desk.order("A2")
    waits, arrives = desk.parcel(still, state="in_transit"), desk.parcel(gone, state="in_transit")
    desk.clock.jump(NIGHT)
    desk.move(waits, State.READY_FOR_PICKUP)
    desk.move(arrives, State.READY_FOR_PICKUP)
    desk.settle()
    assert desk.letters == []
    assert desk.rows("SELECT DISTINCT due_at, queued FROM notice") == [(MORNING, False)]

    desk.move(arrives, State.DELIVERED, before=State.READY_FOR_PICKUP)
    desk.digest()
    desk.clock.jump(MORNING)
    desk.send()

    assert [(letter.order, letter.template) for letter in desk.letters] == [
        ("A1", "ready_for_pickup"),
        ("A2", "delivered"),
    ]
    assert desk.broken() == []


def test_quiet_hours_are_the_receivers(desk: Desk) -> None:
    """08:30 in Shanghai is 06:30 in Ürümqi."""
    far = {
        "name": "罗小明",
        "mobile": "15812346021",
        "province": "新疆维吾尔自治区",
        "city": "乌鲁木齐市",
        "address": "友好路1号",
    }
    parcel_id = desk.parcel(desk.order("A1", receiver=far), state="in_transit")
    desk.clock.jump(MORNING + timedelta(minutes=30))
    desk.move(parcel_id, State.OUT_FOR_DELIVERY)
    desk.settle()
    assert desk.letters == []
    desk.clock.jump(MORNING + timedelta(hours=2))
    desk.send()
    assert len(desk.letters) == 1


def test_an_order_is_told_so_often_a_day(desk: Desk) -> None:
    desk.speak(per_order_day=2)
    order_id = desk.order()
    parcels = [desk.parcel(order_id, state="in_transit", quantity=1) for _ in range(4)]
    for parcel_id in parcels:
        desk.move(parcel_id, State.READY_FOR_PICKUP)
        desk.settle()
    assert len(desk.letters) == 2
    assert desk.rows("SELECT due_at FROM notice WHERE state = 'planned'") == [(MORNING,)]

    desk.clock.jump(MORNING)
    desk.send()

    assert len(desk.letters) == 3
    assert desk.letters[-1].variables["parcels"] == "2"


def test_a_person_is_told_so_often_a_day_whatever_the_order(desk: Desk) -> None:
    desk.speak(per_person_day=2)
    for number in ("A1", "A2", "A3"):
        desk.move(desk.parcel(desk.order(number), state="in_transit"), State.READY_FOR_PICKUP)
    desk.move(
        desk.parcel(desk.order("B1", email="other@example.com", receiver=_other()), state="in_transit"),
        State.READY_FOR_PICKUP,
    )
    desk.settle()
    assert sorted(letter.order for letter in desk.letters) == ["A1", "A2", "B1"]


def _other() -> dict[str, str]:
    return {"name": "王", "mobile": "13900001111", "province": "浙江省", "city": "杭州市", "address": "文一路1号"}


def test_a_message_that_may_not_be_said_until_it_is_no_news_is_dropped_as_too_much(desk: Desk) -> None:
    desk.speak(per_order_day=1)
    order_id = desk.order()
    first, second = (desk.parcel(order_id, state="in_transit", quantity=1) for _ in range(2))
    desk.move(first, State.READY_FOR_PICKUP)
    desk.settle()
    desk.move(second, State.OUT_FOR_DELIVERY)
    desk.settle()
    assert desk.notices() == [("ready_for_pickup", "handed", ""), ("out_for_delivery", "dropped", "limit")]


def test_who_wants_no_messages_gets_none_by_any_of_his_orders(desk: Desk) -> None:
    first, second = desk.order("A1"), desk.order("A2", email="")
    assert desk.do(lambda tx: actions.opt_out(tx, first, actor="staff:1")) == 2
    desk.move(desk.parcel(second, state="in_transit"), State.DELIVERED)
    desk.settle()
    assert desk.notices() == [("delivered", "dropped", "opted_out")]
    with pytest.raises(Conflict):
        desk.do(lambda tx: actions.say(tx, second, Saying("您好"), actor="staff:1"))
    [(told,)] = desk.rows("SELECT string_agg(notice_optout::text, '') FROM notice_optout")
    assert "15812346021" not in told and "luo@" not in told

    desk.do(lambda tx: actions.opt_in(tx, first, actor="staff:1"))
    desk.do(lambda tx: actions.say(tx, second, Saying("您好"), actor="staff:1"))


def test_who_does_not_want_to_hear_of_one_kind_hears_of_others(desk: Desk) -> None:
    order_id = desk.order()
    desk.do(lambda tx: actions.opt_out(tx, order_id, kind="out_for_delivery", actor="buyer"))
    parcel_id = desk.parcel(order_id, state="in_transit")
    desk.move(parcel_id, State.OUT_FOR_DELIVERY)
    desk.settle()
    desk.move(parcel_id, State.DELIVERED, before=State.OUT_FOR_DELIVERY)
    desk.settle()
    assert desk.notices() == [("out_for_delivery", "dropped", "opted_out"), ("delivered", "handed", "")]


def test_a_kind_the_shop_does_not_say_is_not_planned(desk: Desk) -> None:
    desk.speak(kinds_off=frozenset({"shipped"}))
    desk.dispatch(desk.parcel(desk.order(), state="awaiting_collection"))
    desk.settle()
    assert desk.notices() == []


@pytest.mark.parametrize(
    ("channels", "why"),
    [([], "no_channel"), ([Recording("sms", ChannelKind.SMS)], "no_address")],
    ids=["no channel", "only by phone"],
)
def test_who_cannot_be_reached_is_not_told(desk: Desk, channels: list[Recording], why: str) -> None:
    desk.channels = channels
    landline = _other() | {"mobile": "", "phone": "0571-88123456"}
    desk.dispatch(desk.parcel(desk.order(email="", receiver=landline), state="awaiting_collection"))
    desk.settle()
    assert desk.notices() == [("shipped", "dropped", why)]
    assert desk.said() == ["NoticeDropped"]


def test_an_erased_receiver_is_not_told_and_nothing_shows_what_he_was_told(desk: Desk) -> None:
    order_id = desk.order()
    parcel_id = desk.parcel(order_id, state="awaiting_collection")
    desk.dispatch(parcel_id)
    desk.settle()
    desk.move(parcel_id, State.OUT_FOR_DELIVERY)
    desk.digest()

    desk.do(lambda tx: erasing.erase_receivers(tx, [order_id], actor="staff:1", reason="he asked"))
    desk.settle()

    assert desk.notices() == [("shipped", "handed", ""), ("out_for_delivery", "dropped", "erased")]
    assert desk.rows("SELECT to_mask, to_hash, sealed FROM notice") == [("", None, b"")] * 2
