"""From what happened to what a buyer reads: planned by rules, composed when it leaves, handed over once."""

from datetime import timedelta

from tests.parts.notices.conftest import Desk
from waystream.core.state import Kind, State


def test_a_dispatched_parcel_becomes_one_mail(desk: Desk) -> None:
    order_id = desk.order("A1", promised_at="2026-11-15T08:00:00+08:00")
    parcel_id = desk.parcel(order_id, state="awaiting_collection", number="YT778899")
    desk.dispatch(parcel_id)

    desk.settle()

    [letter] = desk.letters
    assert (letter.to, letter.language, letter.template) == ("luo@example.com", "zh", "shipped")
    assert (letter.shop, letter.order, letter.subject) == ("tea", "A1", "您的订单 A1 已发货")
    assert letter.text == "【tea】您的订单 A1 已发货，圆通速递 YT778899，预计 11 月 15 日 送达。"
    assert letter.variables["number"] == "YT778899"
    assert desk.notices() == [("shipped", "handed", "")]
    assert desk.said() == ["NoticeSent"]
    [(receipt, channel, mask, letter_id)] = desk.rows("SELECT receipt, channel, to_mask, letter_id FROM notice")
    assert (receipt, channel, mask, letter_id) == ("receipt-1", "mail", "l**@example.com", letter.id)
    assert desk.rows("SELECT state FROM job WHERE kind = 'send_notice'") == [("done",)]
    assert desk.broken() == []


def test_nothing_personal_is_in_the_rows_in_the_clear(desk: Desk) -> None:
    parcel_id = desk.parcel(desk.order(), state="awaiting_collection")
    desk.dispatch(parcel_id)
    desk.settle()
    [(told,)] = desk.rows("SELECT notice::text || (SELECT string_agg(job::text, '') FROM job) FROM notice")
    assert not [secret for secret in ("luo@example.com", "15812346021", "罗小明", "已发货，圆通") if secret in told]


def test_three_parcels_within_the_window_are_one_message(desk: Desk) -> None:
    order_id = desk.order()
    parcels = [desk.parcel(order_id, state="awaiting_collection", quantity=1) for _ in range(3)]
    for parcel_id in parcels:
        desk.dispatch(parcel_id)
        desk.digest()
        desk.clock.advance(timedelta(seconds=30))

    desk.settle()

    [letter] = desk.letters
    assert letter.variables["number"] == "、".join(f"YT{parcel_id}" for parcel_id in parcels)
    assert letter.variables["parcels"] == "3"
    assert desk.rows("SELECT count(*), count(DISTINCT notice_id) FROM notice_thing") == [(3, 1)]


def test_what_is_told_again_is_said_once(desk: Desk) -> None:
    parcel_id = desk.parcel(desk.order(), state="in_transit")
    for _ in range(3):
        desk.move(parcel_id, State.OUT_FOR_DELIVERY, text="派件中")
        desk.settle()
    assert desk.notices() == [("out_for_delivery", "handed", "")]
    desk.clock.advance(timedelta(days=1))
    desk.move(parcel_id, State.OUT_FOR_DELIVERY)
    desk.settle()
    assert desk.notices() == [("out_for_delivery", "handed", "")] * 2
    assert desk.broken() == []


def test_a_delay_of_a_parcel_that_is_delivered_meanwhile_is_dropped(desk: Desk) -> None:
    parcel_id = desk.parcel(desk.order(), state="in_transit")
    desk.move(parcel_id, State.EXCEPTION, Kind.DELAYED)
    desk.digest()
    desk.move(parcel_id, State.DELIVERED, Kind.IN_PERSON)

    desk.settle()

    assert desk.notices() == [("delayed", "dropped", "delivered"), ("delivered", "handed", "")]
    assert [letter.template for letter in desk.letters] == ["delivered"]
    assert sorted(desk.said()) == ["NoticeDropped", "NoticeSent"]


def test_the_cause_the_place_and_the_code_are_told(desk: Desk) -> None:
    first, second = desk.order("A1", language="en"), desk.order("A2")
    late, waits = desk.parcel(first, state="in_transit"), desk.parcel(second, state="in_transit")
    desk.move(late, State.EXCEPTION, Kind.MISROUTED)
    desk.move(waits, State.READY_FOR_PICKUP, text="快件已放入【丰巢智能柜3号】，请凭取件码 8812-4471 及时领取")

    desk.settle()

    texts = {letter.order: letter.text for letter in desk.letters}
    assert "it was sorted to a wrong place and is being redirected" in texts["A1"]
    assert texts["A2"] == "【tea】您的订单 A2 已到取件点：丰巢智能柜3号，取件码 8812-4471，请尽早领取。"


def test_a_shop_that_does_not_speak_plans_nothing(desk: Desk) -> None:
    desk.speak(enabled=False)
    desk.dispatch(desk.parcel(desk.order(), state="awaiting_collection"))
    desk.settle()
    assert desk.notices() == []
