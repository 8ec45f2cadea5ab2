"""Tickets told to staff: who is told of which, one message a minute, quiet nights, refusals."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from tests.parts.channels.conftest import GATEWAYS, Counter
from tests.parts.webhooks.receiver import Answer, Receiver, receiving
from waystream.core.care import Cause, Priority
from waystream.core.events.care import TicketClosed, TicketOpened, TicketRaised
from waystream.kernel.clock import FixedClock
from waystream.kernel.database import Database
from waystream.kernel.dispatcher import Dispatcher
from waystream.kernel.log import Sequencer
from waystream.parts.channels import actions, staffing
from waystream.parts.channels.alarms import CAUSE_WORDS, SHOWN, Alarm, compose, is_quiet
from waystream.parts.channels.model import Channel
from waystream.rules import urgent_ticket_tells_staff

OK = Answer(200, b'{"errcode":0,"errmsg":"ok"}')
AT = datetime(2026, 11, 12, 6, 32, tzinfo=UTC)


def robot(counter: Counter, receiver: Receiver, *, name: str = "robot", **given: object) -> Channel:
    receiver.usual = OK
    values = {"key": "k", "address": receiver.url.removesuffix("/hook"), "language": "en"}
    values |= given.pop("values", {})  # type: ignore[arg-type]
    return counter.add("wecom", name=name, values=values, **given)


def opened(counter: Counter, *, n: int = 1, priority: Priority = Priority.HIGH, cause: Cause = Cause.LOST,
           shop_id: int = 0) -> list[TicketOpened]:  # fmt: skip
    return [
        TicketOpened(shop_id=shop_id or counter.world.tea, ticket_id=100 + i, cause=cause, priority=priority,
                     parcel_id=i + 1, order_id=None)
        for i in range(n)
    ]  # fmt: skip


def happen(counter: Counter, database: Database, events: Sequence[TicketOpened | TicketRaised | TicketClosed]) -> None:
    dispatcher = Dispatcher(counter.world.work, [urgent_ticket_tells_staff])
    dispatcher.drain()
    with counter.world.work.begin() as tx:
        tx.emit(*events)
    Sequencer(database).drain()
    dispatcher.drain()


def waiting(counter: Counter) -> list[tuple[int, int]]:
    with counter.world.work.begin() as tx:
        query = "SELECT channel_id, ticket_id FROM staff_word WHERE told_at IS NULL ORDER BY channel_id, event_id"
        return [(channel, ticket) for channel, ticket in tx.conn.execute(query)]


def run_now(counter: Counter) -> None:
    """A minute later, as far as jobs are concerned."""
    with counter.world.work.begin() as tx:
        tx.conn.execute("UPDATE job SET due_at = clock_timestamp() WHERE state = 'ready'")
    counter.run_jobs()


def spoken(receiver: Receiver) -> list[str]:
    return [msgspec.json.decode(heard.body)["text"]["content"] for heard in receiver.heard]


def test_tickets_of_a_minute_are_one_message(counter: Counter, database: Database) -> None:
    with receiving() as receiver:
        channel = robot(counter, receiver)
        happen(counter, database, opened(counter, n=3))
        assert waiting(counter) == [(channel.id, 100), (channel.id, 101), (channel.id, 102)]
        with counter.world.work.begin() as tx:
            jobs = tx.conn.execute(
                "SELECT kind, key, due_at > clock_timestamp() + interval '50 seconds' FROM job"
            ).fetchall()
        assert jobs == [("tell_staff", str(channel.id), True)]
        run_now(counter)
        assert waiting(counter) == []
        assert spoken(receiver) == [
            "Waystream · tea: 3 tickets, 3 to be done today\n#100 lost!\n#101 lost!\n#102 lost!\n"
            "https://waystream.example.com/workbench"
        ]


@pytest.mark.parametrize(
    ("given", "hears"),
    [
        ({}, {"high"}),
        ({"priorities": ("high", "normal", "low")}, {"high", "normal", "low"}),
        ({"priorities": ()}, set()),
        ({"priorities": ("high", "low"), "causes": ("damaged",)}, set()),
        ({"priorities": ("low",), "causes": ("lost", "damaged")}, {"low"}),
    ],
)
def test_priority_and_cause_choose(
    counter: Counter, database: Database, given: dict[str, object], hears: set[str]
) -> None:
    with receiving() as receiver:
        robot(counter, receiver, **given)
        happen(counter, database, [event for priority in Priority for event in opened(counter, priority=priority)])
        with counter.world.work.begin() as tx:
            assert {priority for (priority,) in tx.conn.execute("SELECT priority FROM staff_word")} == hears


def test_another_shop_and_a_channel_that_is_off_hear_nothing(counter: Counter, database: Database) -> None:
    with receiving() as receiver:
        robot(counter, receiver, shop_id=counter.world.toys)
        off = robot(counter, receiver, name="off")
        with counter.world.work.begin() as tx:
            actions.switch_channel(tx, off.id, on=False, actor="staff:1")
        happen(counter, database, opened(counter))
    assert waiting(counter) == []


def test_a_closed_ticket_is_no_alarm_and_a_raised_one_is(counter: Counter, database: Database) -> None:
    about = {"shop_id": counter.world.tea, "ticket_id": 7, "cause": Cause.LOST, "priority": Priority.HIGH,
             "parcel_id": 1, "order_id": None}  # fmt: skip
    with receiving() as receiver:
        channel = robot(counter, receiver)
        happen(counter, database, [TicketRaised(**about)])  # type: ignore[arg-type]
        assert TicketClosed not in urgent_ticket_tells_staff.WHEN
    assert waiting(counter) == [(channel.id, 7)]


def test_the_same_event_is_told_once(counter: Counter) -> None:
    with receiving() as receiver:
        robot(counter, receiver)
        alarm = Alarm(1, counter.world.tea, 100, Cause.LOST, Priority.HIGH, AT)
        with counter.world.work.begin() as tx:
            assert (staffing.tell(tx, [alarm]), staffing.tell(tx, [alarm])) == (1, 0)


def test_a_quiet_channel_keeps_its_words_until_it_may_speak(
    counter: Counter, database: Database, clock: FixedClock
) -> None:
    with receiving() as receiver:
        robot(counter, receiver, values={"quiet": "14:00-15:00"})  # the clock stands at 14:32 in Beijing
        happen(counter, database, opened(counter))
        run_now(counter)
        assert not receiver.heard and len(waiting(counter)) == 1
        clock.advance(timedelta(minutes=28))
        with counter.world.work.begin() as tx:
            assert staffing.remind(tx) == 1
        run_now(counter)
        assert len(receiver.heard) == 1 and waiting(counter) == []


def test_what_comes_while_a_message_leaves_is_the_next_one(counter: Counter, database: Database) -> None:
    with receiving() as receiver:
        robot(counter, receiver)
        happen(counter, database, opened(counter))
        run_now(counter)
        happen(counter, database, opened(counter, n=2))
        run_now(counter)
        assert [text.split("\n")[0] for text in spoken(receiver)] == [
            "Waystream · tea: 1 ticket, 1 to be done today", "Waystream · tea: 2 tickets, 2 to be done today",
        ]  # fmt: skip


def test_too_fast_is_tried_again_and_a_refusal_ends_it_in_words(counter: Counter, database: Database) -> None:
    with receiving() as receiver:
        channel = robot(counter, receiver)
        receiver.usual = Answer(200, b'{"errcode":45009,"errmsg":"api freq out of limit"}')
        happen(counter, database, opened(counter))
        run_now(counter)
        assert len(waiting(counter)) == 1
        receiver.usual = Answer(200, b'{"errcode":93000,"errmsg":"invalid webhook url"}')
        run_now(counter)
        assert waiting(counter) == []
    failed = counter.read(channel.id)
    assert (failed.fails, failed.failed_code) == (True, "93000")
    assert GATEWAYS["wecom"].mend_sentence("93000", "en")


def test_a_message_says_the_first_and_counts_the_rest() -> None:
    alarms = [Alarm(i, 1, i, Cause.STALLED, Priority.NORMAL, AT) for i in range(SHOWN + 3)]
    letter = compose(alarms, letter_id="L", shop="茶铺", language="zh", address="")
    assert letter.subject == "Waystream · 茶铺：13 张工单，0 张今天要处理"
    assert letter.text.split("\n")[0] == "#0 轨迹停滞" and letter.text.endswith("…另有 3 张")


def test_every_cause_has_words() -> None:
    assert set(CAUSE_WORDS) == set(Cause)


@pytest.mark.parametrize(
    ("quiet", "at", "expected"),
    [
        ("22:00-08:00", "23:00", True),
        ("22:00-08:00", "07:59", True),
        ("22:00-08:00", "08:00", False),
        ("12:00-13:00", "12:30", True),
        ("12:00-13:00", "13:00", False),
        ("", "03:00", False),
        ("whenever", "03:00", False),
    ],
)
def test_quiet_hours(quiet: str, at: str, expected: bool) -> None:
    hour, minute = map(int, at.split(":"))
    now = datetime(2026, 11, 12, hour, minute, tzinfo=UTC) - timedelta(hours=8)
    assert is_quiet({"quiet": quiet}, now) is expected
