"""Pairing lines, and what of an order changed: properties."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from waystream.parts.orders.form import LineIn
from waystream.parts.orders.model import Line, plan_lines

TOLD = st.lists(st.builds(LineIn, sku=st.sampled_from("AB"), quantity=st.integers(1, 3)), min_size=1, max_size=6)
SKUS = st.lists(st.tuples(st.sampled_from("AB"), st.integers(0, 3)), max_size=6)


def stored(skus: list[tuple[str, int]]) -> list[Line]:
    return [Line(id=100 + at, order_id=1, line_no=at, sku=sku, name="", quantity=quantity, price_fen=0,
                 discount_fen=0, tax_bp=0) for at, (sku, quantity) in enumerate(skus, 1)]  # fmt: skip


@given(SKUS, TOLD)
def test_after_the_plan_the_lines_are_what_was_told(skus: list[tuple[str, int]], told: list[LineIn]) -> None:
    before = {line.id: line for line in stored(skus)}
    plan = plan_lines(list(before.values()), told)
    kept = dict(plan.keep)
    assert Counter(line for line in (*kept.values(), *(line for _, line in plan.add))) == Counter(told)
    assert all(before[line_id].sku == line.sku for line_id, line in plan.keep)
    assert len({line_id for line_id, _ in plan.keep} | set(plan.drop)) == len(plan.keep) + len(plan.drop)
    assert {line_id for line_id, line in before.items() if line.quantity} <= {*kept, *plan.drop}
    numbers = [number for number, _ in plan.add] + [line.line_no for line in before.values()]
    assert len(set(numbers)) == len(numbers)


@given(TOLD)
def test_the_same_lines_in_another_order_change_nothing(told: list[LineIn]) -> None:
    lines = stored([(line.sku, line.quantity) for line in told])
    plan = plan_lines(lines, list(reversed(told)))
    assert not plan.add
    assert not plan.drop
    by_id = {line.id: line for line in lines}
    assert all(by_id[line_id].quantity == line.quantity for line_id, line in plan.keep)
