"""The judge of the replay must see what is wrong: a judge that finds nothing proves nothing."""

from datetime import UTC, datetime, timedelta

import pytest

from benchmarks.replay.data import RealLine, RealOrder, choose
from benchmarks.replay.judge import difference
from benchmarks.replay.network import Travel, Waybill, plan_pushes
from benchmarks.replay.story import SHIFT, expect, tell

HANDED_OVER = datetime(2017, 3, 1, 12, 0, 0, tzinfo=UTC)
DELIVERED = datetime(2017, 3, 9, 18, 30, 5, tzinfo=UTC)


def real(number: str = "a", *, sellers: str = "x", delivered_at: datetime | None = DELIVERED) -> RealOrder:
    lines = tuple(
        RealLine(line_no, seller, f"product {line_no}", "", 1, 1000, 0, (0, 0, 0))
        for line_no, seller in enumerate(sellers, 1)
    )
    return RealOrder(number, None, HANDED_OVER, DELIVERED, HANDED_OVER, delivered_at, "recife", "PE", "50000", lines)


def test_each_seller_is_a_parcel_and_the_last_arrives_when_the_data_says() -> None:
    order = tell(real(sellers="xyx"))
    assert [parcel.line_nos for parcel in order.parcels] == [(1, 3), (2,)]
    first, last = order.parcels
    assert last.delivered_at == DELIVERED + SHIFT
    assert first.delivered_at is not None
    assert HANDED_OVER + SHIFT <= first.delivered_at <= last.delivered_at
    assert expect(order).word == "completed"


def test_an_order_whose_last_parcel_never_came_is_not_complete() -> None:
    order = tell(real(sellers="xy", delivered_at=None))
    assert order.parcels[0].delivered_at is not None
    assert order.parcels[1].delivered_at is None
    assert expect(order).word == "part_delivered"
    assert expect(tell(real(delivered_at=None))).word == "in_transit"


def test_a_story_is_always_the_same() -> None:
    assert tell(real(sellers="xyz")) == tell(real(sellers="xyz"))


def test_hard_orders_are_chosen_first() -> None:
    plain = [real(f"{n:02d}") for n in range(20)]
    hard = [real("98", sellers="xy"), real("99", delivered_at=None)]
    chosen = choose([*plain, *hard], 8)
    assert len(chosen) == 8
    assert {"98", "99"} <= {order.number for order in chosen}


@pytest.mark.parametrize(
    ("said", "late_s", "why"),
    [
        (("completed", True), 0, ""),
        (("delivered", False), 0, "should be completed"),
        (("completed", False), 0, "should be completed"),
        (("completed", True), 1, "the parcel of lines (1,)"),
        (None, 0, "not there"),
    ],
)
def test_the_judge_sees_adifference(said: tuple[str, bool] | None, late_s: int, why: str) -> None:
    want = expect(tell(real()))
    believed = {(1,): (HANDED_OVER + SHIFT, DELIVERED + SHIFT + timedelta(seconds=late_s))}
    found = difference(want, said, believed)
    assert (why in found) if why else found == ""


def test_the_judge_sees_a_parcel_too_many() -> None:
    want = expect(tell(real()))
    twice = {(1,): want.parcels[(1,)], (2,): want.parcels[(1,)]}
    assert "hold lines" in difference(want, ("completed", True), twice)


def test_pushes_tell_everything_with_a_tenth_twice_and_both_forms() -> None:
    orders = [tell(real(f"{n:03d}")) for n in range(200)]
    travelling = [Travel(Waybill("ZTO", order.number), order.parcels[0], order.city) for order in orders]
    pushes = plan_pushes(travelling)
    once = set(pushes)
    assert len(pushes) == len(once) + len(once) // 10
    assert {push.form for push in pushes} == {"101", "102"}
    handed_over = {number for push in once if push.upto < DELIVERED + SHIFT for number in push.numbers}
    delivered = {number for push in once if push.upto > DELIVERED + SHIFT for number in push.numbers}
    assert handed_over == delivered == {order.number for order in orders}
    assert pushes == plan_pushes(travelling)
    assert [push.upto for push in pushes] != sorted(push.upto for push in pushes)
