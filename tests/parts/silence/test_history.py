"""What parcels that have arrived teach, what is published from it, and due times that follow."""

import random
from collections.abc import Sequence
from datetime import timedelta

import pytest

from tests.parts.tracking.conftest import Push, Rows
from tests.parts.tracking.given import Bound, Shop, at, bind_parcels, told, trace
from waystream.core.errors import Invalid
from waystream.core.ports import Trace
from waystream.kernel.clock import FixedClock
from waystream.kernel.jobs import Outside
from waystream.kernel.runner import Runner
from waystream.kernel.tx import Work
from waystream.parts.silence import allowing, history
from waystream.parts.silence.survival import class_of
from waystream.parts.tracking import dues, jobs

LANE = "杭州市>"
WAY = (trace(8, "1"), trace(10, "204", "快件到达【杭州转运中心】"), trace(33, "202"), trace(35, "301"))


def learn(work: Work, *parcels: Bound) -> int:
    return work.run(lambda tx: history.learn(tx, [bound.parcel_id for bound in parcels]))


def test_a_parcel_that_arrived_teaches_its_gaps(work: Work, parcel: Bound, push: Push, rows: Rows) -> None:
    push(told("YT1", 36, *WAY))
    assert learn(work, parcel) == 3
    assert rows("SELECT carrier, lane, stage, round(days::numeric * 24, 3)::float FROM gap_cell ORDER BY stage") == [
        ("YTO", LANE, "collected", 2.0),
        ("YTO", LANE, "in_transit", 23.0),
        ("YTO", LANE, "out_for_delivery", 2.0),
    ]
    [gaps] = rows("SELECT gaps FROM gap_cell WHERE stage = 'in_transit'")
    assert [n for n, gap in enumerate(gaps) if gap] == [class_of(23.0)]
    assert rows("SELECT stage, day::text, array_position(scans, 1) - 1 FROM scan_pulse ORDER BY stage") == [
        ("collected", "2026-11-11", 18),
        ("in_transit", "2026-11-12", 17),
        ("out_for_delivery", "2026-11-12", 19),
    ]
    assert rows("SELECT place, begun FROM place_share ORDER BY place") == [("", 2.0), ("杭州转运中心", 1.0)]
    assert rows("SELECT unread FROM patience_book") == [3.0]


def test_lessons_add_up_and_withdrawn_scans_teach_nothing(work: Work, shop: Shop, push: Push, rows: Rows) -> None:
    first, second = work.run(lambda tx: bind_parcels(tx.conn, shop, ["A", "B"]))
    push(told("A", 36, *WAY))
    push(told("B", 36, *WAY))
    push(told("B", 37, *WAY[:1], *WAY[2:]))
    learn(work, first)
    learn(work, second)
    assert rows("SELECT stage, (SELECT sum(g) FROM unnest(gaps) AS g) FROM gap_cell ORDER BY stage") == [
        ("collected", 2.0),
        ("in_transit", 1.0),
        ("out_for_delivery", 2.0),
    ]


def ways(n: int) -> dict[str, Sequence[Trace]]:
    dice = random.Random(1)
    found = {}
    for nth in range(n):
        hub = 8 + 2 * dice.lognormvariate(0, 0.4)
        door = hub + 6 * dice.lognormvariate(0, 0.5)
        found[f"H{nth}"] = (trace(8, "1"), trace(hub, "204"), trace(door, "202"), trace(door + 2, "301"))
    return found


@pytest.fixture
def taught(work: Work, shop: Shop, push: Push, clock: FixedClock) -> int:
    """A week later: 800 parcels have arrived, none of which was silent for long. How many gaps that were."""
    found = ways(800)
    bound = work.run(lambda tx: bind_parcels(tx.conn, shop, list(found)))
    push(*(told(number, 100, *way) for number, way in found.items()))
    clock.advance(timedelta(days=7))
    return learn(work, *bound)


def test_from_history_follows_how_long_silence_may_last(work: Work, taught: int, rows: Rows) -> None:
    assert taught == 2_400
    assert work.run(history.publish_when_due) == 1
    assert work.run(history.publish_when_due) == 0
    [(budget, times, expected, gaps, unread)] = rows("SELECT budget, times, expected, gaps, unread FROM patience_book")
    assert (budget, gaps, unread) == (9, 2_400, 0)
    assert expected <= budget and times >= allowing.TIMES_LEAST
    usual = dict(rows("SELECT stage, usual_h FROM patience WHERE lane <> '' ORDER BY stage"))
    assert 8 < usual["in_transit"] < 16 and 2 < usual["collected"] < 5
    assert rows("SELECT count(*) FROM patience_curve") == [len(allowing.CURVE)]
    assert rows("SELECT name, subject FROM event WHERE name = 'PatienceChanged'") == [("PatienceChanged", "patience:1")]


def test_due_times_follow_what_is_published(
    work: Work, shop: Shop, taught: int, push: Push, clock: FixedClock, rows: Rows
) -> None:
    """Those of parcels under way by a job, those of the next scans at once."""
    scanned = (clock.now() - at(0)).total_seconds() / 3600
    work.run(lambda tx: bind_parcels(tx.conn, shop, ["NOW", "THEN"]))
    push(told("NOW", scanned + 1, trace(scanned, "204")))
    [before] = rows("SELECT due_at FROM track JOIN binding USING (binding_id) WHERE number = 'NOW'".replace(
        "binding USING (binding_id)", "binding ON binding.id = binding_id"))  # fmt: skip
    version = work.run(history.publish)
    work.run(lambda tx: dues.ask_to_move(tx, version))
    Runner(work, jobs.handlers(Outside(None, {}, {}))).drain()  # type: ignore[arg-type]
    push(told("THEN", scanned + 1, trace(scanned, "204")))
    after = rows("SELECT due_at FROM track JOIN binding ON binding.id = binding_id WHERE number IN ('NOW', 'THEN')")
    assert after[0] == after[1] < before
    assert rows("SELECT state FROM job WHERE kind = 'redue_tracks'") == ["done"]


def test_what_is_old_fades(work: Work, taught: int, clock: FixedClock, rows: Rows) -> None:
    work.run(history.publish)
    total = "SELECT sum(g) FROM gap_cell CROSS JOIN LATERAL unnest(gaps) AS g"
    assert rows(total) == [2_400.0]
    clock.advance(timedelta(days=history.HALF_LIFE_DAYS))
    assert work.run(history.publish_when_due) == 1
    assert rows(total) == [pytest.approx(1_200, rel=1e-3)]
    clock.advance(timedelta(days=history.PULSES_KEPT.days + 900))
    work.run(history.publish)
    assert rows("SELECT count(*) FROM scan_pulse") == rows("SELECT count(*) FROM gap_cell") == [0]


def test_a_person_sets_the_budget(work: Work, taught: int, rows: Rows) -> None:
    work.run(history.publish)
    [before] = rows("SELECT times FROM patience_book")
    work.run(lambda tx: history.set_budget(tx, 100.0, actor="staff:1"))
    assert rows("SELECT times FROM patience_book")[0] < before
    assert rows("SELECT action, subject, detail FROM audit") == [("silence.budget", "patience:2", {"budget": "100"})]
    for wrong in (0.0, 1e6, float("nan")):
        with pytest.raises(Invalid):
            work.run(lambda tx, wrong=wrong: history.set_budget(tx, wrong, actor="staff:1"))


def test_who_still_waits_counts_but_not_for_ever(
    work: Work, shop: Shop, taught: int, push: Push, clock: FixedClock, rows: Rows
) -> None:
    numbers = [f"W{n}" for n in range(300)]
    work.run(lambda tx: bind_parcels(tx.conn, shop, numbers))
    push(*(told(number, 100, trace(9, "204")) for number in numbers))
    work.run(history.publish)
    [(waiting, usual)] = rows("SELECT waiting, usual_h FROM patience WHERE carrier = '' AND stage = 'in_transit'")
    assert waiting == 300 and usual > 100
    clock.advance(history.WAITING_MOST)
    work.run(history.publish)
    assert rows("SELECT DISTINCT waiting FROM patience") == [0]
