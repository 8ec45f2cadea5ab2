"""Outages are noticed by their silence; then carriers are asked, once for each parcel, within their rules."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from tests.parts.tracking.conftest import Push, Rows
from tests.parts.tracking.given import CARRIER, Bound, Shop, at, bind_parcels, told, trace
from waystream.core.account import aggregator_aad
from waystream.core.errors import Conflict, Missing, Unavailable
from waystream.core.ports import Ask, HttpAsk, Network, Reply
from waystream.integrations.kdniao.adapter import network as kdniao
from waystream.integrations.kdniao.documents import Tracked
from waystream.integrations.kdniao.fakepush import News, TraceNews, tracked
from waystream.integrations.kdniao.wire import read_envelope, read_request
from waystream.invariants import stored_state_equals_fold
from waystream.kernel.clock import FixedClock
from waystream.kernel.jobs import Outside
from waystream.kernel.runner import Pace, Runner
from waystream.kernel.tx import Work
from waystream.parts.tracking import actions, jobs, outages

NETWORKS: dict[str, Network] = {"kdniao": kdniao}
ME = "staff:1"
FIRST_RETRY_S = 0.001


class Carrier:
    """The exchange with a network behind it: it tells what the test put there, and keeps what it was asked."""

    def __init__(self) -> None:
        self.news: dict[str, News] = {}
        self.asked: list[str] = []
        self.fails: Exception | None = None
        self.refuses = ""

    def send(self, ask: Ask) -> Reply:
        assert isinstance(ask, HttpAsk)
        number = read_request(read_envelope(ask.body).data, Tracked).logistic_code
        assert isinstance(number, str)
        if self.fails:
            raise self.fails
        self.asked.append(number)
        if self.refuses:
            return Reply(200, body=msgspec.json.encode({"Success": False, "Reason": self.refuses, "ResultCode": "104"}))
        news = self.news.get(number, News(CARRIER, number, "", "0", (), success=False))
        return Reply(200, body=msgspec.json.encode(tracked(news, push_type="102", merchant_id="1237100")))

    def tell(self, number: str, *scans: tuple[float, str]) -> None:
        traces = tuple(TraceNews(at(hour), code, f"scan {code}") for hour, code in scans)
        self.news[number] = News(CARRIER, number, "", scans[-1][1], traces)


@pytest.fixture
def carrier() -> Carrier:
    return Carrier()


@pytest.fixture
def drain(work: Work, carrier: Carrier) -> Callable[[], int]:
    """Run every job that is due, as a process that has just started would."""

    def run() -> int:
        outside = Outside(carrier, NETWORKS, {})  # type: ignore[arg-type]
        return Runner(work, jobs.handlers(outside), pace=Pace(first_retry_s=FIRST_RETRY_S)).drain()

    return run


@pytest.fixture
def account(work: Work, shop: Shop) -> None:
    def seal(tx: Any) -> None:
        sealed = tx.keys.vault.seal_secret("secret", aad=aggregator_aad("main"))
        tx.conn.execute("UPDATE aggregator SET key_sealed = %s", [sealed])

    work.run(seal)


def beat(work: Work, *, silent_s: float = 0.0) -> int | None:
    return work.run(lambda tx: outages.beat(tx, NETWORKS, silent_s=silent_s))


def noticed(work: Work, clock: FixedClock, *, gone: timedelta = timedelta(hours=5)) -> int:
    beat(work)
    clock.advance(gone)
    outage_id = beat(work)
    assert outage_id is not None
    return outage_id


def states(rows: Rows) -> list[Any]:
    return rows(
        "SELECT number, inquiry.state FROM inquiry JOIN binding ON binding.id = binding_id ORDER BY place, inquiry.id"
    )


def test_a_gap_longer_than_the_last_retry_is_an_outage(work: Work, shop: Shop, clock: FixedClock, rows: Rows) -> None:
    assert beat(work) is None
    began = clock.now()
    clock.advance(timedelta(minutes=29))
    assert beat(work) is None
    clock.advance(timedelta(minutes=31))
    assert beat(work) is not None
    assert beat(work) is None
    assert rows("SELECT began_at, ended_at, state, integrations FROM outage") == [
        (began + timedelta(minutes=29), clock.now(), "noticed", ["kdniao"])
    ]
    assert rows("SELECT kind FROM job") == ["plan_inquiries"]


def test_a_clock_that_runs_fast_is_no_outage(work: Work, shop: Shop, clock: FixedClock) -> None:
    """Between two beats of one second lie hours of business, and nobody was silent."""
    beat(work)
    clock.advance(timedelta(hours=5))
    assert beat(work, silent_s=outages.SILENT_S) is None


def test_who_was_nearly_there_is_asked_first(
    work: Work, shop: Shop, account: None, clock: FixedClock, push: Push, carrier: Carrier, drain: Callable[[], int],
    rows: Rows,
) -> None:  # fmt: skip
    work.run(lambda tx: bind_parcels(tx.conn, shop, ["LATE", "SOON", "DOOR", "DONE", "GONE"]))
    push(told("LATE", 10, trace(8, "1"), trace(9, "204")))
    push(told("SOON", 10, trace(7, "1")))
    push(told("DOOR", 10, trace(8, "1"), trace(9.5, "202")))
    push(told("DONE", 10, trace(8, "1"), trace(9, "301")))
    work.run(lambda tx: tx.conn.execute("UPDATE binding SET state = 'cancelled' WHERE number = 'GONE'"))
    for number in ("LATE", "SOON", "DOOR", "DONE"):
        carrier.tell(number, (8, "1"), (30.6, "301"))
    events = rows("SELECT max(id) FROM event")[0]
    outage_id = noticed(work, clock)
    assert drain() == 4

    assert carrier.asked == ["DOOR", "SOON", "LATE"]
    assert states(rows) == [("DOOR", "changed"), ("SOON", "changed"), ("LATE", "changed")]
    assert rows("SELECT DISTINCT state FROM track") == ["delivered"]
    assert rows("SELECT name FROM event WHERE id > %s", events) == ["Delivered"] * 3
    with work.begin() as tx:
        assert stored_state_equals_fold.broken(tx) == []
        assert outages.feed(tx) == 0
        found = outages.get_progress(tx, outage_id, NETWORKS)
    assert (found.outage.state, found.asked, found.changed, found.left, found.left_s) == ("done", 3, 3, 0, 0.0)


def test_the_answer_is_kept_like_a_push(
    work: Work, parcel: Bound, account: None, clock: FixedClock, carrier: Carrier, drain: Callable[[], int], rows: Rows
) -> None:
    carrier.tell("YT1", (8, "1"), (9, "202"))
    work.run(lambda tx: actions.begin_tracks(tx, [parcel.binding_id]))
    noticed(work, clock)
    drain()
    assert rows("SELECT inbox_id FROM telling") == rows("SELECT id FROM inbox")
    assert rows("SELECT cause = 'inbox:' || inbox.id FROM event, inbox") == [True, True]
    assert rows("SELECT position('YT1'::bytea IN sealed) FROM inbox") == [0]


def test_each_parcel_is_asked_for_once_whoever_plans_and_feeds(
    work: Work, parcel: Bound, account: None, clock: FixedClock, push: Push, carrier: Carrier, drain: Callable[[], int],
    rows: Rows,
) -> None:  # fmt: skip
    push(told("YT1", 10, trace(8, "1")))
    outage_id = noticed(work, clock)
    for _ in range(2):
        work.run(lambda tx: outages.plan(tx, outage_id))
        work.run(outages.feed)
        drain()
    assert carrier.asked == ["YT1"]
    assert states(rows) == [("YT1", "unchanged")]


@pytest.fixture
def three(work: Work, shop: Shop, account: None, push: Push) -> None:
    """Three parcels under way, whose turn comes in the order of their names."""
    work.run(lambda tx: bind_parcels(tx.conn, shop, ["A", "B", "C"]))
    for hour, number in enumerate(("A", "B", "C")):
        push(told(number, 10, trace(5 + hour, "1")))


def test_stopped_it_goes_on_where_it_was(
    work: Work, three: None, clock: FixedClock, carrier: Carrier, drain: Callable[[], int], rows: Rows,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(outages, "QUEUED_MAX", 1)
    outage_id = noticed(work, clock)
    drain()
    assert carrier.asked == ["A"]
    work.run(outages.feed)
    work.run(lambda tx: outages.stop(tx, outage_id, actor=ME))
    drain()
    assert work.run(outages.feed) == 0
    assert states(rows) == [("A", "unchanged"), ("B", "waiting"), ("C", "waiting")]
    with pytest.raises(Conflict):
        work.run(lambda tx: outages.stop(tx, outage_id, actor=ME))

    work.run(lambda tx: outages.go_on(tx, outage_id, actor=ME))
    while drain():
        work.run(outages.feed)
    assert carrier.asked == ["A", "B", "C"]
    assert rows("SELECT state FROM outage") == ["done"]


def test_who_told_by_itself_meanwhile_is_not_asked(
    work: Work, three: None, clock: FixedClock, push: Push, carrier: Carrier, drain: Callable[[], int], rows: Rows
) -> None:
    outage_id = noticed(work, clock)
    work.run(lambda tx: outages.plan(tx, outage_id))
    push(told("A", 40, trace(5, "1"), trace(36, "202")))
    push(told("B", 40, trace(6, "1"), trace(36, "301")))
    drain()
    assert carrier.asked == ["C"]
    assert states(rows) == [("A", "heard"), ("B", "over"), ("C", "unchanged")]


def test_what_is_refused_is_said_and_can_be_asked_again(
    work: Work, three: None, clock: FixedClock, carrier: Carrier, drain: Callable[[], int], rows: Rows
) -> None:
    carrier.refuses = "用户不存在或未开通"
    outage_id = noticed(work, clock)
    drain()
    work.run(outages.feed)
    assert rows("SELECT DISTINCT state, said FROM inquiry") == [("refused", "用户不存在或未开通")]
    assert rows("SELECT state FROM outage") == ["done"]
    carrier.refuses = ""
    clock.advance(timedelta(minutes=30))
    work.run(lambda tx: outages.go_on(tx, outage_id, actor=ME))
    drain()
    assert rows("SELECT DISTINCT state FROM inquiry") == ["unchanged"]


def test_a_call_that_may_have_arrived_is_not_repeated_at_once(
    work: Work, parcel: Bound, account: None, clock: FixedClock, push: Push, carrier: Carrier, drain: Callable[[], int],
    rows: Rows,
) -> None:  # fmt: skip
    """Half an hour has to pass; a call that never left may be made again at once."""
    push(told("YT1", 10, trace(8, "1")))
    carrier.fails = Unavailable("nobody there", sent=False)
    noticed(work, clock)
    work.run(lambda tx: outages.plan(tx, rows("SELECT id FROM outage")[0]))
    drain()
    assert rows("SELECT state, asked_at FROM inquiry") == [("queued", None)]
    carrier.fails = Unavailable("time-out", sent=True)
    _make_due(work)
    drain()
    assert rows("SELECT asked_at IS NOT NULL FROM inquiry") == [True]
    carrier.fails = None
    _make_due(work)
    drain()
    assert carrier.asked == []
    assert rows("SELECT error FROM job WHERE kind = 'ask_carrier'") == [
        "Unavailable: One number is asked for every half hour."
    ]
    clock.advance(timedelta(minutes=30))
    _make_due(work)
    drain()
    assert carrier.asked == ["YT1"]


def _make_due(work: Work) -> None:
    """The machine's time passes."""
    work.run(lambda tx: tx.conn.execute("UPDATE job SET due_at = clock_timestamp() WHERE state = 'ready'"))


def test_a_person_asks_for_one_parcel_every_half_hour(
    work: Work, parcel: Bound, account: None, clock: FixedClock, push: Push, carrier: Carrier, drain: Callable[[], int],
    rows: Rows,
) -> None:  # fmt: skip
    def ask() -> int:
        return work.run(lambda tx: outages.ask_now(tx, parcel.parcel_id, NETWORKS, actor=ME))

    with pytest.raises(Missing):
        ask()
    push(told("YT1", 10, trace(8, "1")))
    carrier.tell("YT1", (8, "1"), (9, "301"))
    ask()
    with pytest.raises(Conflict, match="is being asked"):
        ask()
    drain()
    assert rows("SELECT state, actor, outage_id FROM inquiry") == [("changed", ME, None)]
    assert rows("SELECT state FROM track") == ["delivered"]
    with pytest.raises(Conflict, match="every half hour"):
        ask()
    clock.advance(timedelta(minutes=30))
    ask()
    assert (
        rows("SELECT action, subject FROM audit ORDER BY id")
        == [("parcel.ask_carrier", f"parcel:{parcel.parcel_id}")] * 2
    )
