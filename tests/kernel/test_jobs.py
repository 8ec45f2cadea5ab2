"""Jobs run at least once, their effects exactly once; failures wait, and giving up is said."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial

import psycopg
import pytest

from tests.engine import Engine
from tests.kernel.machine import AT, SHOP, eventually, held, rows, running
from waystream.core.errors import Refused, Unavailable
from waystream.kernel import job_table
from waystream.kernel.clock import FixedClock
from waystream.kernel.database import Database, Shops
from waystream.kernel.jobs import Claimed, Job, LeaseLost, Run, Sweep, enqueue
from waystream.kernel.runner import Pace, Runner
from waystream.kernel.tx import Tx, Work
from waystream.kernel.vault import Keys

QUICK = Pace(poll_s=0.05, first_retry_s=0.01, longest_retry_s=0.02, drain_s=5)


@dataclass
class Printing:
    """A handler that notes each effect, after doing what the test wants done first."""

    kind: str = "print"
    lease_s: float = 60
    max_attempts: int = 3
    concurrency: int = 8
    first: Callable[[Run], object] = lambda run: None
    runs: list[Claimed] = field(default_factory=list)

    def do(self, run: Run) -> None:
        self.runs.append(run.job)
        self.first(run)
        with run.work.begin() as tx:
            note(tx, run.job, "printed")
            run.finish(tx)

    def give_up(self, tx: Tx, job: Claimed) -> None:
        note(tx, job, "given up")
        tx.emit(held(1), cause=job.as_cause)


def note(tx: Tx, job: Claimed, what: str) -> None:
    tx.conn.execute(
        "INSERT INTO audit (at, actor, action, subject) VALUES (%s, %s, %s, %s)",
        [tx.now, f"job:{job.kind}", what, job.key],
    )


@pytest.fixture
def work(database: Database, clock: FixedClock, keys: Keys) -> Work:
    return Work(database, clock, keys)


def job(key: str = "a", *, kind: str = "print", delay_s: float = 0) -> Job:
    return Job(kind, SHOP, key, "parcel:3", {"print_id": 9, "why": "测试"}, delay_s)


def ask(work: Work, *wanted: Job) -> None:
    with work.begin() as tx:
        tx.enqueue(*wanted)


def effects(work: Work) -> list[tuple[str, str]]:
    return rows(work.database, "SELECT subject, action FROM audit ORDER BY id")


def states(work: Work) -> list[tuple[str, str, int]]:
    return rows(work.database, "SELECT key, state, attempts FROM job ORDER BY id")


def make_due(work: Work) -> None:
    """Machine time passes: what waits is due and every lease has ended."""
    with work.begin() as tx:
        tx.conn.execute(
            """UPDATE job SET due_at = clock_timestamp() - interval '1 s',
                              leased_until = leased_until - interval '1 day' WHERE finished_at IS NULL"""
        )


# ---------------------------------------------------------------- asking


def test_a_job_is_enqueued_with_its_transaction(work: Work) -> None:
    with work.begin() as tx:
        enqueue(tx.conn, [])
        enqueue(tx.conn, [job("a"), job("b", delay_s=90)])
    query = "SELECT kind, shop_id, key, subject, args, state, due_at > clock_timestamp() + interval '1 min' FROM job"
    args = {"print_id": 9, "why": "测试"}
    assert rows(work.database, query + " ORDER BY id") == [
        ("print", SHOP, "a", "parcel:3", args, "ready", False),
        ("print", SHOP, "b", "parcel:3", args, "ready", True),
    ]


def test_a_rolled_back_wish_is_none(work: Work) -> None:
    with work.begin() as tx:
        tx.enqueue(job())
        tx.conn.rollback()
    assert states(work) == []


def test_one_unfinished_job_for_one_thing(work: Work) -> None:
    ask(work, job("a"), job("a"))
    ask(work, job("a"), job("a", kind="cancel"))
    assert states(work) == [("a", "ready", 0), ("a", "ready", 0)]
    Runner(work, [Printing()]).drain()
    ask(work, job("a"))
    assert sorted(states(work)) == [("a", "done", 1), ("a", "ready", 0), ("a", "ready", 0)]


def test_a_running_job_is_not_asked_for_again(work: Work) -> None:
    ask(work, job("a"))
    handler = Printing(first=lambda run: ask(run.work, job("a")))
    Runner(work, [handler]).drain()
    assert states(work) == [("a", "done", 1)]


def test_a_page_may_ask_for_its_own_shop_only(work: Work, page_database: Database) -> None:
    with page_database.tx(shops=Shops.of([SHOP])) as conn:
        enqueue(conn, [job()])
    with pytest.raises(psycopg.errors.InsufficientPrivilege), page_database.tx(shops=Shops.of([8])) as conn:
        enqueue(conn, [job("b")])


# ---------------------------------------------------------------- running


def test_a_job_runs_once_and_is_done(work: Work) -> None:
    ask(work, job("a"))
    handler = Printing()
    runner = Runner(work, [handler])
    assert [runner.drain(), runner.drain()] == [1, 0]
    (claimed,) = handler.runs
    assert (claimed.kind, claimed.shop_id, claimed.key, claimed.subject) == ("print", SHOP, "a", "parcel:3")
    assert (claimed.args, claimed.attempts) == ({"print_id": 9, "why": "测试"}, 1)
    assert (effects(work), states(work)) == ([("a", "printed")], [("a", "done", 1)])
    assert rows(work.database, "SELECT leased_until, finished_at IS NOT NULL, error FROM job") == [(None, True, "")]


def test_jobs_run_when_due_and_the_longest_due_first(work: Work) -> None:
    ask(work, job("later", delay_s=60), job("b"), job("a"), job("c"))
    handler = Printing()
    Runner(work, [handler], workers=2).drain()
    assert [claimed.key for claimed in handler.runs] == ["b", "a", "c"]


def test_nobody_claims_what_nobody_handles(work: Work) -> None:
    ask(work, job("a", kind="unknown"))
    assert Runner(work, [Printing()]).drain() == 0
    assert states(work) == [("a", "ready", 0)]


def test_a_handler_without_anything_to_write_just_returns(work: Work) -> None:
    @dataclass
    class Idle(Printing):
        def do(self, run: Run) -> None:
            pass

    ask(work, job())
    Runner(work, [Idle()]).drain()
    assert states(work) == [("a", "done", 1)]


def test_the_claim_takes_no_more_of_a_kind_than_wanted(work: Work) -> None:
    ask(work, *(job(f"p{n}") for n in range(5)), *(job(f"c{n}", kind="cancel") for n in range(5)))
    wanted = [job_table.Wanted("print", slots=2, lease_s=9), job_table.Wanted("cancel", slots=4, lease_s=9)]
    with work.begin() as tx:
        assert [claimed.key for claimed in job_table.claim(tx.conn, wanted, limit=8)] == [
            "p0", "p1", "c0", "c1", "c2", "c3",
        ]  # fmt: skip
        assert [claimed.key for claimed in job_table.claim(tx.conn, wanted, limit=3)] == ["p2", "p3", "c4"]
        left = "SELECT count(*) FROM job WHERE leased_until BETWEEN clock_timestamp() AND clock_timestamp() + '9 s'"
        assert tx.conn.execute(left).fetchone() == (9,)


def test_concurrency_is_held_per_handler(work: Work) -> None:
    lock, inside, most = threading.Lock(), [0], [0]
    both = threading.Barrier(2)

    def watch(run: Run) -> None:
        with lock:
            inside[0] += 1
            most[0] = max(most[0], inside[0])
        both.wait(10)
        with lock:
            inside[0] -= 1

    ask(work, *(job(str(n)) for n in range(6)))
    with running(Runner(work, [Printing(concurrency=2, first=watch)], pace=QUICK)):
        eventually(lambda: len(effects(work)) == 6)
    assert most == [2]


# ---------------------------------------------------------------- failing


def test_unavailable_is_tried_again_after_what_was_asked(work: Work) -> None:
    fails = iter([Unavailable("busy", retry_after_s=120)])

    def busy(run: Run) -> None:
        for error in fails:
            raise error

    ask(work, job())
    runner = Runner(work, [Printing(first=busy)], pace=QUICK)
    runner.drain()
    query = "SELECT state, error, due_at BETWEEN clock_timestamp() + '110 s' AND clock_timestamp() + '120 s' FROM job"
    assert rows(work.database, query) == [("ready", "Unavailable: busy", True)]
    make_due(work)
    runner.drain()
    assert (effects(work), states(work)) == ([("a", "printed")], [("a", "done", 2)])


def test_a_refusal_gives_up_at_once(work: Work) -> None:
    def refuse(run: Run) -> None:
        raise Refused("out of numbers", code="105")

    ask(work, job())
    Runner(work, [Printing(first=refuse)]).drain()
    assert (effects(work), states(work)) == ([("a", "given up")], [("a", "given_up", 1)])
    assert rows(work.database, "SELECT error FROM job") == [("Refused: out of numbers",)]
    assert rows(work.database, "SELECT name, at, cause LIKE 'job:%%' FROM event") == [("OrderHeld", AT, True)]


def test_after_its_attempts_a_job_is_given_up(work: Work) -> None:
    def fail(run: Run) -> None:
        raise ValueError("张三 13800138000")

    ask(work, job())
    handler = Printing(first=fail)
    runner = Runner(work, [handler], pace=QUICK)
    for _ in range(5):
        runner.drain()
        make_due(work)
    assert len(handler.runs) == 3
    assert (effects(work), states(work)) == ([("a", "given up")], [("a", "given_up", 3)])
    assert rows(work.database, "SELECT error FROM job")[0][0].startswith("ValueError at test_jobs.py:")


def test_giving_up_that_fails_is_tried_again(work: Work) -> None:
    @dataclass
    class Stubborn(Printing):
        broken: bool = True

        def give_up(self, tx: Tx, job: Claimed) -> None:
            note(tx, job, "given up")
            if self.broken:
                raise ZeroDivisionError

    def fail(run: Run) -> None:
        raise ValueError

    ask(work, job())
    handler = Stubborn(first=fail, max_attempts=1)
    runner = Runner(work, [handler], pace=QUICK)
    runner.drain()
    assert (effects(work), states(work)) == ([], [("a", "ready", 1)])
    handler.broken = False
    make_due(work)
    runner.drain()
    assert (len(handler.runs), effects(work), states(work)) == (1, [("a", "given up")], [("a", "given_up", 2)])


@pytest.mark.parametrize(("attempts", "ceiling_s"), [(1, 2), (3, 8), (11, 2048), (12, 3600), (1000, 3600)])
def test_the_wait_grows_with_jitter_up_to_an_hour(attempts: int, ceiling_s: float) -> None:
    waits = [Pace().retry_delay_s(attempts) for _ in range(300)]
    assert 1 <= min(waits) < 0.2 * ceiling_s + 1
    assert 0.8 * ceiling_s < max(waits) <= ceiling_s


def test_what_was_asked_is_a_floor_and_bounded() -> None:
    assert Pace().retry_delay_s(1, asked_s=1800) == 1800
    assert Pace().retry_delay_s(12, asked_s=0.5) >= 1
    assert Pace().retry_delay_s(1, asked_s=10**9) == 86_400


# ---------------------------------------------------------------- leases


def test_an_ended_lease_is_run_again_and_the_late_run_has_no_effect(work: Work) -> None:
    """The first run loses its lease inside the handler; another runner does the job before it goes on."""
    other = Printing()

    def overtake(run: Run) -> None:
        make_due(run.work)
        assert Runner(run.work, [other]).drain() == 1

    ask(work, job())
    late = Printing(first=overtake)
    Runner(work, [late]).drain()
    assert [claimed.attempts for claimed in late.runs + other.runs] == [1, 2]
    assert (effects(work), states(work)) == ([("a", "printed")], [("a", "done", 2)])


def test_finishing_twice_is_refused(work: Work) -> None:
    ask(work, job())
    seen: list[Run] = []
    Runner(work, [Printing(first=seen.append)]).drain()
    with pytest.raises(LeaseLost), work.begin() as tx:
        seen[0].finish(tx)


def test_a_lease_of_a_second_ends_by_itself(work: Work) -> None:
    ask(work, job())
    with work.begin() as tx:
        assert job_table.claim(tx.conn, [job_table.Wanted("print", slots=1, lease_s=1)], limit=1)
    assert Runner(work, [Printing()]).drain() == 0, "leased to a process that died"
    with running(Runner(work, [Printing()], pace=QUICK)):
        eventually(lambda: states(work) == [("a", "done", 2)])


def test_a_crash_between_effect_and_commit_repeats_the_job_not_the_effect(work: Work, engine: Engine) -> None:
    @dataclass
    class Crashing(Printing):
        def do(self, run: Run) -> None:
            with run.work.begin() as tx:
                note(tx, run.job, "printed")
                run.finish(tx)
                if run.job.attempts == 1:
                    with psycopg.connect(engine.admin_url, autocommit=True) as admin:
                        admin.execute("SELECT pg_terminate_backend(%s)", [tx.conn.info.backend_pid])

    ask(work, job())
    runner = Runner(work, [Crashing()], pace=replace(QUICK, first_retry_s=60.0, longest_retry_s=60.0))
    runner.drain()
    assert (effects(work), states(work)) == ([], [("a", "ready", 1)])
    make_due(work)
    runner.drain()
    assert (effects(work), states(work)) == ([("a", "printed")], [("a", "done", 2)])


def test_a_job_that_kills_every_process_is_given_up(work: Work) -> None:
    ask(work, job())
    handler = Printing(max_attempts=2)
    for _ in range(2):
        with work.begin() as tx:
            job_table.claim(tx.conn, [job_table.Wanted("print", slots=1, lease_s=9)], limit=1)
        make_due(work)
        with work.begin() as tx:
            assert job_table.expire_leases(tx.conn) == 1
    Runner(work, [handler]).drain()
    assert (handler.runs, effects(work)) == ([], [("a", "given up")])


def test_two_runners_do_every_job_once(work: Work) -> None:
    handlers = [Printing(), Printing()]
    with running(*(Runner(work, [handler], workers=3, pace=QUICK) for handler in handlers)):
        for n in range(40):
            ask(work, job(f"{n}a"), job(f"{n}b"))
        eventually(lambda: len(effects(work)) >= 80)
    assert len(set(effects(work))) == len(effects(work)) == 80
    assert all(handler.runs for handler in handlers)


def test_a_job_wakes_the_runner(work: Work) -> None:
    with running(Runner(work, [Printing()], pace=Pace(poll_s=60))):
        for number, key in enumerate("abc", 1):
            ask(work, job(key))
            eventually(partial(_effects_are, work, number))


def _effects_are(work: Work, number: int) -> bool:
    return len(effects(work)) == number


def test_stopping_lets_what_runs_end_and_claims_no_more(work: Work) -> None:
    inside, go_on = threading.Event(), threading.Event()

    def wait(run: Run) -> None:
        inside.set()
        assert go_on.wait(10)

    ask(work, job("a"), job("b"))
    runner = Runner(work, [Printing(first=wait)], workers=1, pace=QUICK)
    runner.start()
    assert inside.wait(10)
    stopping = threading.Thread(target=runner.stop)
    stopping.start()
    go_on.set()
    stopping.join(10)
    assert states(work) == [("a", "done", 1), ("b", "ready", 0)]


def test_stopping_waits_no_longer_than_it_may(work: Work) -> None:
    inside, go_on = threading.Event(), threading.Event()

    def wait(run: Run) -> None:
        inside.set()
        assert go_on.wait(10)

    ask(work, job("a"))
    runner = Runner(work, [Printing(first=wait)], pace=Pace(drain_s=0.05))
    runner.start()
    assert inside.wait(10)
    runner.stop()
    assert states(work) == [("a", "running", 1)], "left to its lease"
    go_on.set()
    eventually(lambda: states(work) == [("a", "done", 1)])


def test_a_runner_that_never_started_stops(work: Work) -> None:
    Runner(work, [Printing()]).stop()


def test_every_run_is_observed(work: Work) -> None:
    seen: list[tuple[str, str]] = []

    def observe(job: Claimed, /, *, seconds: float, outcome: str) -> None:
        assert seconds >= 0
        seen.append((job.kind, outcome))

    def choose(run: Run) -> None:
        if run.job.key == "refused":
            raise Refused("no")
        if run.job.key == "busy":
            raise Unavailable("busy")
        if run.job.key == "late":
            make_due(run.work)
            Runner(run.work, [Printing()]).drain()

    ask(work, *(job(key) for key in ("fine", "refused", "busy")))
    Runner(work, [Printing(first=choose)], workers=1, observe=observe).drain()
    with work.begin() as tx:
        tx.conn.execute("DELETE FROM job")
    ask(work, job("late"))
    Runner(work, [Printing(first=choose)], observe=observe).drain()
    assert seen == [("print", outcome) for outcome in ("done", "given_up", "ready", "lost")]


# ---------------------------------------------------------------- sweeps


def test_a_sweep_runs_in_one_process_at_a_time(work: Work) -> None:
    inside, go_on = threading.Event(), threading.Event()
    found: list[int | None] = []

    def look(tx: Tx) -> int:
        inside.set()
        assert go_on.wait(10)
        return 3

    slow, quick = Sweep("stalled", 60, look), Sweep("stalled", 60, lambda tx: 4)
    thread = threading.Thread(target=lambda: found.append(Runner(work, [], [slow]).sweep("stalled")))
    thread.start()
    assert inside.wait(10)
    assert Runner(work, [], [quick]).sweep("stalled") is None
    go_on.set()
    thread.join()
    assert found == [3]
    assert Runner(work, [], [quick]).sweep("stalled") == 4


def test_sweeps_come_again_and_survive_their_errors(work: Work) -> None:
    seen = []

    def look(tx: Tx) -> int:
        seen.append(tx.now)
        raise ZeroDivisionError

    with running(Runner(work, [], [Sweep("stalled", 0.01, look)], pace=QUICK)):
        eventually(lambda: len(seen) >= 3)


def test_finished_jobs_are_pruned_when_old(work: Work) -> None:
    ask(work, job("old"), job("given up"), job("new"), job("ready"))
    with work.begin() as tx:
        for key, state, days in (("old", "done", 8), ("given up", "given_up", 8), ("new", "done", 6)):
            tx.conn.execute(
                """UPDATE job SET state = %s, finished_at = clock_timestamp() - make_interval(days => %s)
                   WHERE key = %s""",
                [state, days, key],
            )
    runner = Runner(work, [], [job_table.pruning()])
    assert runner.sweep("finished_jobs") == 1
    assert [key for key, *_ in states(work)] == ["given up", "new", "ready"]
    assert Runner(work, [], [job_table.pruning(keep_given_up_days=7)]).sweep("finished_jobs") == 1
