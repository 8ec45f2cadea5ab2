"""Pushes at their edges: bounds, disorder, collisions of numbers. The conformance suite judges the ordinary ones."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote_plus

import pytest

from waystream.core.errors import Unreadable
from waystream.core.facts import Scan
from waystream.core.parcel import Facts, fold
from waystream.core.ports import Aggregator, Push, Reply
from waystream.core.state import Kind, State
from waystream.integrations.kdniao.adapter import network
from waystream.integrations.kdniao.fakepush import Merchant, push_data, seal_push
from waystream.integrations.kdniao.wire import Envelope, sign, write_envelope

AGGREGATOR = Aggregator("7", "key", "https://api.example")


def push(items: list[dict[str, Any]], push_type: str = "102", **more: Any) -> Push:
    document = {"EBusinessID": 7, "PushTime": "2026-03-02 18:00:00", "Count": str(len(items)), "Data": items, **more}
    data = json.dumps(document, ensure_ascii=False)
    body = write_envelope(Envelope(data, push_type, signature=sign(data, "key")))
    opened = network.open_push(AGGREGATOR, body)
    assert opened is not None
    return opened


def item(**fields: Any) -> dict[str, Any]:
    return {"ShipperCode": "ZTO", "LogisticCode": "78", "Success": True, "State": "2", "Traces": [], **fields}


def trace(minute: int, **fields: Any) -> dict[str, Any]:
    clock = f"{minute // 60:02d}:{minute % 60:02d}:00"
    return {"AcceptTime": f"2026-03-02 {clock}", "AcceptStation": f"第{minute}行", **fields}


def test_the_fine_code_outranks_the_coarse_one() -> None:
    told = push([item(State=4, StateEx="412"), item(State="2", StateEx=""), item(State=2, StateEx=None)]).told
    assert [one.state_code for one in told] == ["412", "2", "2"]


def test_traces_come_oldest_first_whatever_their_order() -> None:
    told = push([item(Traces=[trace(5), trace(1), trace(3)])]).told[0]
    assert [one.text for one in told.traces] == ["第1行", "第3行", "第5行"]
    assert told.traces[0].at == datetime(2026, 3, 1, 16, 1, tzinfo=UTC)
    assert told.traces[0].raw_time == "2026-03-02 00:01:00"


def test_a_list_that_was_cut_withdraws_nothing() -> None:
    whole = push([item(Traces=[trace(minute) for minute in range(500)])]).told[0]
    cut = push([item(Traces=[trace(minute) for minute in range(501)])]).told[0]
    assert (len(whole.traces), whole.complete) == (500, True)
    assert (len(cut.traces), cut.complete, cut.traces[0].text) == (500, False, "第1行")


def test_too_many_waybills_are_unreadable_rather_than_lost() -> None:
    assert len(push([item()] * 200).told) == 200
    with pytest.raises(Unreadable):
        push([item()] * 201)


@pytest.mark.parametrize(
    ("fields", "complete", "died"),
    [
        ({"Success": True, "Traces": [trace(1)]}, True, ""),
        ({"Success": True, "Traces": []}, False, ""),
        ({"Success": False, "Traces": [trace(1)]}, False, ""),
        ({"Success": False, "Reason": "三天无轨迹"}, False, "三天无轨迹"),
        ({"Success": False, "Reason": "七天内无轨迹变化。"}, False, "七天内无轨迹变化"),
        ({"Success": "true", "Reason": "三天无轨迹", "Traces": [trace(1)]}, True, ""),
    ],
)
def test_what_is_complete_and_what_died(fields: dict[str, Any], complete: bool, died: str) -> None:
    told = push([item(**fields)]).told[0]
    assert (told.complete, told.died) == (complete, died)


def test_a_waybill_without_a_number_is_left_out() -> None:
    assert push([item(LogisticCode=""), item(LogisticCode=None), item(LogisticCode=78)]).told[0].number == "78"


def test_a_pickup_push_speaks_its_own_numbers() -> None:
    """301 is "collected" here and "signed" in a track push; confusing them would complete orders."""
    rows = [{"LogisticCode": "YT1", "OrderCode": "WS1", "State": state} for state in ("301", "203", "208", "999")]
    told = push([*rows, {"LogisticCode": "", "State": "103"}], "103").told
    assert [one.state_code for one in told] == ["pickup:301", "pickup:203", "pickup:999"]
    assert [network.meaning(one.state_code, "").state for one in told] == [
        State.COLLECTED,
        State.CANCELLED,
        State.UNKNOWN,
    ]
    assert all(one.our_code == "WS1" and not one.complete for one in told)


def test_a_cod_push_may_carry_the_track_too() -> None:
    told = push([item(OrderState="2", AccountName="x", State="3", Traces=[trace(1)])], "107").told
    assert [(one.state_code, len(one.traces)) for one in told] == [("3", 1)]


def test_an_empty_push_is_a_push() -> None:
    assert push([]).told == ()
    assert push([], Data=None).told == ()


@pytest.mark.parametrize("push_type", ["", "1007", "104", "102 or 1=1"])
def test_other_kinds_are_unreadable(push_type: str) -> None:
    with pytest.raises(Unreadable):
        push([item()], push_type)


@pytest.mark.parametrize("stamp", [None, "", "soon"])
def test_a_push_without_its_time_is_unreadable(stamp: str | None) -> None:
    with pytest.raises(Unreadable):
        push([item()], PushTime=stamp)


def test_texts_are_cleaned_and_bounded() -> None:
    dirty = trace(1, AcceptStation="\u0000已揽收" + "长" * 600, Location="深\u0007圳")
    told = push([item(OrderCode="x" * 99, Traces=[dirty])]).told[0]
    assert told.traces[0].text.startswith("已揽收长")
    assert (len(told.traces[0].text), told.traces[0].location, len(told.our_code)) == (500, "深圳", 64)


@pytest.mark.parametrize("torn", ["派件员：王小明 13800001111", "业务员王小明已揽收", "电话138 0000 1111"])
@pytest.mark.parametrize("kept", range(1, 18))
def test_what_the_edge_tears_goes_whole(torn: str, kept: int) -> None:
    """However much of a phone or a name lies before the edge: nothing of it is left to be stored unmasked."""
    before = "已到达" * 170
    said = before[: 500 - min(kept, len(torn) - 1) - 1] + "，" + torn
    assert len(said) > 500
    [told] = push([item(Traces=[trace(1, AcceptStation=said)])]).told
    assert told.traces[0].text == said.removesuffix(torn)


def test_a_cut_text_without_a_clause_ends_before_its_torn_digits() -> None:
    [told] = push([item(Traces=[trace(1, AcceptStation="长" * 492 + "138 0000 1111")])]).told
    assert told.traces[0].text == "长" * 492


def test_an_unreadable_line_is_cut_before_a_torn_phone() -> None:
    said = "已" * 270 + "，派件员电话13800001111"
    [told] = push([item(Traces=[trace(1), trace(2, AcceptTime="soon", AcceptStation=said)])]).told
    assert [line.line for line in told.unread] == ["soon " + "已" * 270 + "，派件员电话13800001111"]
    [told] = push([item(Traces=[trace(1), trace(2, AcceptTime="soon", AcceptStation="到" * 15 + said)])]).told
    assert [line.line for line in told.unread] == ["soon " + "到" * 15 + "已" * 270 + "，"]


def test_the_answer_is_in_their_words() -> None:
    reply = network.answer_push(merchant_id="7", at=datetime(2026, 3, 2, 10, tzinfo=UTC), accepted=True, reason="")
    assert (reply.status, json.loads(reply.body)) == (
        200,
        {"EBusinessID": "7", "UpdateTime": "2026-03-02 18:00:00", "Success": True, "Reason": ""},
    )
    no = network.answer_push(merchant_id="7", at=datetime(2026, 3, 2, 10, tzinfo=UTC), accepted=False, reason="稍后")
    assert (no.status, json.loads(no.body)["Success"], json.loads(no.body)["Reason"]) == (503, False, "稍后")


def test_a_query_tells_what_a_push_tells() -> None:
    at = datetime(2026, 3, 2, tzinfo=UTC)
    answer = json.dumps(item(StateEx="202", Traces=[trace(1)]), ensure_ascii=False).encode()
    kept = network.read_query(AGGREGATOR, Reply(200, body=answer), at=at)
    assert answer.decode() in unquote_plus(kept.decode())
    [told] = network.read_push(kept).told
    assert (told.push_time, told.state_code, len(told.traces)) == (at, "202", 1)


def test_a_query_says_nothing_of_a_subscription() -> None:
    answer = json.dumps(item(Success=False, Reason="三天无轨迹", Traces=[])).encode()
    kept = network.read_query(AGGREGATOR, Reply(200, body=answer), at=datetime(2026, 3, 2, tzinfo=UTC))
    [told] = network.read_push(kept).told
    assert told.died == ""


def test_a_query_cannot_be_pushed() -> None:
    """What only we write is not taken from outside, however well it is signed."""
    data = push_data("7", "102", [], at=datetime(2026, 3, 2, tzinfo=UTC))
    signed = seal_push(Merchant("7", "key"), "8001", data)
    with pytest.raises(Unreadable):
        network.open_push(AGGREGATOR, signed)


@pytest.mark.parametrize(
    ("code", "state", "kind"),
    [
        ("412", State.EXCEPTION, Kind.LOCKER_OVERDUE),
        ("403", State.EXCEPTION, Kind.STALLED),
        ("402", State.EXCEPTION, Kind.OVERDUE),
        ("304", State.DELIVERED, Kind.BY_PROXY),
        ("311", State.DELIVERED, Kind.LOCKER),
        ("211", State.READY_FOR_PICKUP, Kind.LOCKER),
        ("404", State.RETURNING, Kind.REFUSED),
        ("406", State.RETURNED, Kind.NONE),
        ("10", State.AWAITING_COLLECTION, Kind.NONE),
        ("203", State.UNKNOWN, Kind.NONE),
        ("207", State.UNKNOWN, Kind.NONE),
        ("408", State.UNKNOWN, Kind.NONE),
    ],
)
def test_codes(code: str, state: State, kind: Kind) -> None:
    meaning = network.meaning(code, "已签收")
    assert (meaning.state, meaning.kind) == (state, kind)


@pytest.mark.parametrize(
    ("trouble", "end"),
    [("405", State.DELIVERED), ("416", State.DELIVERED), ("404", State.RETURNED), ("407", State.RETURNED)],
)
def test_signed_after_trouble(trouble: str, end: State) -> None:
    """302, "signed in the end after trouble", does not say by whom. Decided: once the parcel was on its way back (404
    refused, 407), whoever signs is the sender, as with 301 and 304: a sale is not completed on a doubtful word.
    A buyer who took it after all is a person's decision, "delivered"."""
    at = datetime(2026, 3, 2, tzinfo=UTC)
    way = [
        Scan(n, "kdniao", at + timedelta(hours=n), code, at, network.meaning(code, ""))
        for n, code in enumerate(("1", "202", trouble, "302"))
    ]
    assert fold(Facts(scans=tuple(way))).state is end
    assert network.meaning("302", "").kind is Kind.UNSPECIFIED


@pytest.mark.parametrize("code", ["0", "1", "2", "3", "4", "5", "6"])
def test_a_group_is_coarse(code: str) -> None:
    assert network.meaning(code, "").coarse
