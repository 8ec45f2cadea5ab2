"""A push from the future pins nothing: not the list, not the claim, not the state; what it says is kept and shown."""

from datetime import timedelta
from random import Random

import pytest

from tests.parts.tracking.conftest import Push, Rows
from tests.parts.tracking.given import Bound, Shop, at, bind_parcels, received, told, trace
from waystream.invariants import known_set_matches_scans, stored_state_equals_fold
from waystream.kernel.tx import Work
from waystream.parts.tracking import reading
from waystream.parts.tracking.actions import Applied, apply
from waystream.parts.tracking.model import PUSH_AHEAD_MAX, SCAN_AHEAD_MAX

WAY = (trace(8, "1"), trace(9, "204"), trace(20, "202"), trace(21, "301"))
YEARS = 24 * 365 * 20
STATE = "SELECT state FROM track"


@pytest.fixture(autouse=True)
def _invariants_hold(work: Work) -> None:
    yield
    with work.begin() as tx:
        assert stored_state_equals_fold.broken(tx) == []
        assert tx.conn.execute(known_set_matches_scans.SQL).fetchall() == []


def test_a_list_from_the_future_does_not_stay_for_ever(push: Push, parcel: Bound, rows: Rows) -> None:
    push(told("YT1", YEARS, *WAY), received_at=at(22))
    assert rows("SELECT state, listed_at FROM track, telling") == [("delivered", at(22))]
    push(told("YT1", 23, *WAY[:3]), received_at=at(23))
    assert rows(STATE) == ["out_for_delivery"]
    assert rows("SELECT code FROM scan WHERE withdrawn_at IS NOT NULL") == ["301"]


def test_a_claim_from_the_future_ends_with_the_next_scan(push: Push, parcel: Bound, rows: Rows) -> None:
    push(told("YT1", YEARS, *WAY[:2], claim="403"), received_at=at(15))
    assert rows("SELECT state, at, because FROM track") == [("exception", at(15), "claim:kdniao")]
    push(told("YT1", 21, *WAY[:3]), received_at=at(21))
    assert rows("SELECT state, at FROM track") == [("out_for_delivery", at(20))]


def test_a_scan_from_the_future_is_disputed_and_true_ones_move_the_parcel(
    work: Work, push: Push, parcel: Bound, rows: Rows
) -> None:
    wrong = trace(YEARS, "406", "a scanner of 2046")
    assert push(told("YT1", 10, WAY[0], wrong, claim="1"), received_at=at(10)).disputed == 1
    assert rows(STATE) == ["collected"]
    assert push(told("YT1", 22, *WAY, wrong), received_at=at(22)).disputed == 0
    assert rows(STATE) == ["delivered"]
    assert rows("SELECT parcel_id, at, text, code, ahead FROM disputed_scan") == [
        (parcel.parcel_id, wrong.at, "a scanner of 2046", "406", True)
    ]
    with work.begin() as tx:
        assert [row.ahead for row in reading.list_disputed(tx)] == [True]
        assert [(row.number, row.scans, row.ahead) for row in reading.list_disputes(tx)] == [("YT1", 1, True)]


def test_when_its_time_has_come_it_is_a_scan(work: Work, push: Push, parcel: Bound, rows: Rows) -> None:
    early = trace(60, "202", "stamped in advance")
    push(told("YT1", 10, WAY[0], early), received_at=at(10))
    assert rows("SELECT count(*) FROM scan") == [1]
    push(told("YT1", 50, WAY[0], early), received_at=at(50))
    assert rows(STATE) == ["out_for_delivery"]
    with work.begin() as tx:
        assert reading.list_disputed(tx) == reading.list_disputes(tx) == []


def test_a_little_ahead_is_believed(push: Push, parcel: Bound, rows: Rows) -> None:
    now = at(10)
    soon = 10 + SCAN_AHEAD_MAX / timedelta(hours=1)
    assert push(told("YT1", 10 + PUSH_AHEAD_MAX / timedelta(hours=1), trace(soon, "204")), received_at=now) == Applied(
        pushes=1, waybills=1, scans=1, moved=1
    )
    assert rows("SELECT listed_at FROM telling") == [now + PUSH_AHEAD_MAX]
    assert rows("SELECT pushes FROM clock_ahead") == []


def test_a_wrong_clock_is_counted_with_what_it_said(push: Push, shop: Shop, parcel: Bound, rows: Rows) -> None:
    for hour in (10, 11, 12):
        push(told("YT1", YEARS + hour, *WAY[:2]), received_at=at(hour))
    push(told("YT1", 13, *WAY[:2]), received_at=at(13))
    assert rows("SELECT aggregator_id, pushes, first_at, last_at, told_at FROM clock_ahead") == [
        (shop.aggregator_id, 3, at(10), at(12), at(YEARS + 12))
    ]


def test_a_stranger_from_the_future_is_adopted_like_any_push(work: Work, shop: Shop, push: Push, rows: Rows) -> None:
    assert push(told("YT9", YEARS, *WAY[:2]), received_at=at(10)).strangers == 1
    assert rows("SELECT first_at FROM stranger") == [at(10)]
    assert rows("SELECT pushes FROM clock_ahead") == [1]


def test_the_order_of_applying_does_not_matter(work: Work, shop: Shop, rows: Rows) -> None:
    """A source whose clock is twenty years ahead, and a true one: what they told, applied in any order."""
    arrived = [
        (YEARS + 9, 9, WAY[:1], "1"),
        (YEARS + 2, 15, (*WAY[:2], trace(YEARS, "406")), "403"),
        (16, 16, WAY[:2], "204"),
        (YEARS + 1, 22, WAY, "301"),
        (23, 23, WAY[:3], "202"),
        (YEARS, 24, (*WAY[:3], trace(23.5, "405")), "405"),
    ]
    ends = set()
    for seed in range(12):
        (bound,) = work.run(lambda tx, seed=seed: bind_parcels(tx.conn, shop, [f"YT-{seed}"]))
        shuffled = Random(seed).sample(arrived, len(arrived))
        for said, came, traces, claim in shuffled:
            item = told(bound.number, said, *traces, claim=claim)
            work.run(lambda tx, item=item, came=came: apply(tx, [received(tx, shop, item, received_at=at(came))]))
        (end,) = rows("SELECT state, kind, at, scanned_at, latest FROM track WHERE parcel_id = %s", bound.parcel_id)
        ends.add(end)
        assert rows("SELECT count(*) FROM disputed_scan WHERE parcel_id = %s", bound.parcel_id) == [1]
    assert ends == {("attempt_failed", "failed", at(23.5), at(23.5), "scan 405")}
