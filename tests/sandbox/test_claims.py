"""What the network says without a new scan, and when it looks again."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waystream.sandbox.claims import Standing, next_change, standing
from waystream.sandbox.world import Happening, told_at

START = datetime(2026, 3, 1, 2, tzinfo=UTC)


def way(*codes: str) -> list[Happening]:
    """One scan an hour from the start."""
    return [Happening(START + timedelta(hours=hour), code, "…", "x") for hour, code in enumerate(codes)]


@pytest.mark.parametrize(
    ("codes", "hours", "code"),
    [
        (["1", "204"], 10, "204"),
        (["1", "204"], 119, "204"),
        (["1", "204"], 121, "403"),
        (["1", "202"], 36, "202"),
        (["1", "202"], 37, "402"),
        (["1", "202"], 121, "403"),
        (["1", "202", "405"], 20, "405"),
        (["1", "202", "405"], 38, "402"),
        (["1", "202", "211"], 19, "211"),
        (["1", "202", "211"], 20, "412"),
        (["1", "202", "211"], 122, "403"),
        (["1", "202", "301"], 900, "301"),
        (["1", "404", "406"], 900, "406"),
        (["1", ""], 3, "4"),
    ],
)
def test_the_elapsed_time_speaks(codes: list[str], hours: int, code: str) -> None:
    assert standing(way(*codes), since=START, now=START + timedelta(hours=hours)).state_ex == code


@pytest.mark.parametrize(
    ("hours", "expected"),
    [
        (1, Standing("0", False, "暂无轨迹信息")),
        (49, Standing("401", False, "暂无轨迹信息")),
        (72, Standing("401", False, "三天无轨迹", True)),
    ],
)
def test_nothing_to_tell(hours: int, expected: Standing) -> None:
    assert standing([], since=START, now=START + timedelta(hours=hours)) == expected


def test_a_subscription_dies_of_silence_and_lives_again() -> None:
    week = START + timedelta(hours=1, days=7)
    assert standing(way("1", "204"), since=START, now=week) == Standing("403", False, "七天内无轨迹变化", True)
    assert standing(way("1", "204"), since=week, now=week + timedelta(days=1)) == Standing("403")


@given(codes=st.lists(st.sampled_from(["1", "2", "202", "211", "405", "301", ""]), max_size=6), hours=st.floats(0, 400))
def test_it_looks_again_exactly_when_something_changes(codes: list[str], hours: float) -> None:
    """Between now and the next change the network would say what it says now, and then something else."""
    happenings, now = way(*codes), START + timedelta(hours=hours)
    following = next_change(happenings, since=START, now=now)
    said = standing(happenings, since=START, now=now)
    until = following or now + timedelta(days=60)
    if not said.died:
        assert until > now
        assert standing(happenings, since=START, now=until - timedelta(microseconds=1)) == said
    if following and told_at(happenings, following) == told_at(happenings, now) != ():
        assert standing(happenings, since=START, now=following) != said
