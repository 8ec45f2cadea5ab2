"""The text rules: what denies is read before what it denies, and real lines are read as their platforms did."""

import csv
import os
from pathlib import Path

import pytest

from waystream.core.state import UNKNOWN, Kind, Meaning, State
from waystream.core.text_rules import meaning_of

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("WAYSTREAM_DATA", ROOT.parent / "shared" / "data"))
REAL_LINES = DATA / "traces" / "cn_express_traces.csv"

#: What the platforms that gave a status of their own mean by it.
PLATFORM_STATES = {
    "1": {State.COLLECTED},
    "2": {State.IN_TRANSIT},
    "10": {State.AWAITING_COLLECTION},
    "20": {State.IN_TRANSIT, State.ARRIVED_AT_OUTLET},
    "50": {State.IN_TRANSIT},
    "80": {State.OUT_FOR_DELIVERY},
    "90": {State.DELIVERED},
    "揽收": {State.COLLECTED, State.AWAITING_COLLECTION},
    "在途": {State.IN_TRANSIT},
}


@pytest.mark.parametrize(
    ("text", "state", "kind"),
    [
        ("无法签收", State.ATTEMPT_FAILED, Kind.FAILED),
        ("客户未签收，稍后再派", State.ATTEMPT_FAILED, Kind.FAILED),
        ("快件未妥投，收件人不在", State.ATTEMPT_FAILED, Kind.FAILED),
        ("签收失败", State.ATTEMPT_FAILED, Kind.FAILED),
        ("派送不成功，等待再次安排", State.ATTEMPT_FAILED, Kind.FAILED),
        ("快件未能派送，客户要求改期", State.ATTEMPT_FAILED, Kind.FAILED),
        ("超时未签收", State.EXCEPTION, Kind.OVERDUE),
        ("收件人拒绝签收", State.ATTEMPT_FAILED, Kind.REFUSED),
        ("正在派送途中，请您准备签收", State.OUT_FOR_DELIVERY, Kind.NONE),
        ("不是本人签收，已由门卫代收", State.DELIVERED, Kind.BY_PROXY),
        ("已签收，非本人签收，签收人：前台", State.DELIVERED, Kind.BY_PROXY),
        ("客户反馈不是本人签收，正在核实", State.EXCEPTION, Kind.PROBLEM),
    ],
)
def test_a_denied_delivery_is_no_delivery(text: str, state: State, kind: Kind) -> None:
    assert meaning_of(text) == Meaning(state, kind)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("快件已签收，签收人：本人", Kind.IN_PERSON),
        ("订单已由本人签收，感谢惠顾", Kind.IN_PERSON),
        ("快件已由家人代收", Kind.BY_PROXY),
        ("已签收，签收人是门卫", Kind.BY_PROXY),
        ("您的包裹已由物业代签收", Kind.BY_PROXY),
        ("快件已在【城东】签收，签收人：丰巢", Kind.LOCKER),
        ("收件人已从【城西菜鸟驿站】取件，感谢使用", Kind.LOCKER),
        ("已签收，凭取件码签收，期待再次为您服务", Kind.LOCKER),
        ("外包装完好，无破损，已签收", Kind.UNSPECIFIED),
        ("货物已完成配送", Kind.UNSPECIFIED),
        ("邮件已妥投", Kind.UNSPECIFIED),
    ],
)
def test_a_delivery_has_a_kind(text: str, kind: Kind) -> None:
    assert meaning_of(text) == Meaning(State.DELIVERED, kind)


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("快件已存放至【幸福里驿站】，请凭取件码及时领取", State.READY_FOR_PICKUP),
        ("快件已被【城南的智能快递柜】代收", State.READY_FOR_PICKUP),
        ("收件员从【丰巢智能快递柜】取出快件", State.COLLECTED),
        ("派件员从快递柜取出快件，重新派送", State.OUT_FOR_DELIVERY),
        ("客户拒收，快件正在退回", State.RETURNING),
        ("退回件到达【深圳转运中心】", State.RETURNING),
        ("退回件已由寄件人签收", State.RETURNED),
        ("应寄件人要求，快件已拦截", State.INTERCEPTED),
        ("快件确认遗失，正在办理理赔", State.LOST),
        ("快件清关中", State.CUSTOMS),
        ("快件转寄至新地址", State.FORWARDED),
        ("订单已取消", State.CANCELLED),
        ("暂无轨迹信息", State.NO_TRACE),
        ("到达目的地网点，快件将很快进行派送", State.ARRIVED_AT_OUTLET),
        ("揽收任务已分配", State.AWAITING_COLLECTION),
        ("已揽收", State.COLLECTED),
        ("已收件，取件人：某", State.COLLECTED),
        ("快件到达【派件路签收大厦营业部】", State.IN_TRANSIT),
        ("快件离开【甲地】已发往【乙地】", State.IN_TRANSIT),
    ],
)
def test_the_stages_of_a_journey(text: str, state: State) -> None:
    assert meaning_of(text).state is state


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("收件人电话无人接听", Kind.UNREACHABLE),
        ("多次联系，无法联系收件人", Kind.UNREACHABLE),
        ("收件人电话错误", Kind.WRONG_PHONE),
        ("收件地址不详", Kind.BAD_ADDRESS),
        ("快件超区", Kind.OUT_OF_RANGE),
        ("快件错分", Kind.MISROUTED),
        ("外包装破损", Kind.DAMAGED),
        ("快件滞留", Kind.STALLED),
        ("受天气影响，时效可能延误", Kind.DELAYED),
        ("快递柜超时未取", Kind.LOCKER_OVERDUE),
        ("清关异常，待补充资料", Kind.CUSTOMS_HELD),
        ("快件疑似丢失，正在查找", Kind.PROBLEM),
    ],
)
def test_what_went_wrong_has_a_kind(text: str, kind: Kind) -> None:
    assert meaning_of(text).kind is kind


@pytest.mark.parametrize("text", ["", "   ", "Processing at depot", "感谢使用", "【签收】"[:1]])
def test_what_no_rule_knows_is_unknown(text: str) -> None:
    assert meaning_of(text) is UNKNOWN


def _real_lines() -> list[dict[str, str]]:
    if not REAL_LINES.exists():
        pytest.skip(f"no real trace lines: WAYSTREAM_DATA must name the folder that holds traces/ (looked in {DATA})")
    with REAL_LINES.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_real_lines_agree_with_their_platforms() -> None:
    """Agreement where a platform told a status of its own: all 17 of 17 lines."""
    judged = [row for row in _real_lines() if row["platform_status"]]
    wrong = [
        row["text"] for row in judged if meaning_of(row["text"]).state not in PLATFORM_STATES[row["platform_status"]]
    ]
    print(f"agreement: {len(judged) - len(wrong)} of {len(judged)}")
    assert len(judged) == 17
    assert wrong == []


def test_real_lines_are_understood() -> None:
    rows = _real_lines()
    unknown = [row["text"] for row in rows if meaning_of(row["text"]) is UNKNOWN]
    assert len(rows) == 206
    assert len(unknown) <= 1  # one English line


def test_real_journeys_end_with_their_delivery() -> None:
    """Within a shipment nothing is read as delivered before its last line."""
    rows = _real_lines()
    last = {row["shipment"]: row["text"] for row in rows}
    early = [
        row["text"]
        for row in rows
        if meaning_of(row["text"]).state is State.DELIVERED and last[row["shipment"]] != row["text"]
    ]
    assert early == []
