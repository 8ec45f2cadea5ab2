"""Figures say what happened and never to whom."""

from tests.kernel.machine import AT, SHOP, held, tell
from waystream.kernel import job_table, jobs, log, rule_cursor
from waystream.kernel.database import Database
from waystream.kernel.dispatcher import Turn
from waystream.kernel.figures import Figures
from waystream.kernel.jobs import Claimed


def test_the_figures_of_a_process() -> None:
    figures = Figures()
    figures.saw_turn("copying", Turn(passed=500), seconds=0.02)
    figures.saw_run(Claimed(1, "print", SHOP, "a", "parcel:1", {}, attempts=1), seconds=0.2, outcome="done")
    text = figures.render().decode()
    assert 'waystream_rule_events_total{rule="copying"} 500.0' in text
    assert 'waystream_rule_turn_seconds_count{rule="copying"} 1.0' in text
    assert 'waystream_job_run_seconds_bucket{kind="print",le="0.3",outcome="done"} 1.0' in text


def test_the_figures_of_the_database(database: Database) -> None:
    tell(database, held(1), held(2))
    with database.tx() as conn:
        log.emit(conn, [held(3)], at=AT)
        rule_cursor.register(conn, "copying", from_beginning=True, at=AT)
        rule_cursor.park(conn, "copying", log.read(conn, after=0, limit=1), error="ValueError", at=AT)
        rule_cursor.halt(conn, "copying", "too much")
        jobs.enqueue(conn, [jobs.Job("print", SHOP, key, "parcel:1") for key in "abc"])
        job_table.claim(conn, [job_table.Wanted("print", slots=1, lease_s=60)], limit=1)
    text = Figures(database).render().decode()
    for line in (
        "waystream_database_up 1.0",
        "waystream_log_position 2.0",
        "waystream_log_unplaced 1.0",
        'waystream_rule_lag{rule="copying"} 2.0',
        'waystream_rule_parked{rule="copying",why="poison"} 1.0',
        'waystream_rule_halted{rule="copying"} 1.0',
        'waystream_jobs{kind="print",state="ready"} 2.0',
        'waystream_jobs{kind="print",state="running"} 1.0',
        'waystream_job_overdue_seconds{kind="print"}',
    ):
        assert line in text
