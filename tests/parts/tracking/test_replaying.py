"""Kept pushes read again: a mended table heals history, shown first, applied once; an unchanged one changes nothing."""

import random
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest

from tests.parts.tracking.conftest import Rows
from tests.parts.tracking.given import CARRIER, Bound, Shop, at, bind_parcels
from waystream.core import text_rules
from waystream.core.errors import Conflict, Missing, Unreadable
from waystream.core.ports import Network
from waystream.core.ports import Push as Pushed
from waystream.core.state import Kind, Meaning, State
from waystream.integrations.kdniao.adapter import Kdniao
from waystream.integrations.kdniao.adapter import network as kdniao
from waystream.integrations.kdniao.fakepush import Merchant, News, TraceNews, push_data, seal_push
from waystream.invariants import known_set_matches_scans, stored_state_equals_fold
from waystream.kernel.clock import FixedClock
from waystream.kernel.ids import mint_ids
from waystream.kernel.tx import Work
from waystream.parts.tracking import actions, reading, replaying, store_replay
from waystream.parts.tracking.model import Received
from waystream.parts.tracking.replaying import Selection

ME = "staff:1"
MERCHANT = Merchant("1237100", "secret")
ODD = "299"
FACTS = ("scan", "telling", "track", "event", "stranger", "disputed_scan", "job", "unknown_code", "inbox")

Tell = Callable[..., None]


class Mended(Kdniao):
    """The network after its table was mended: 299 is "at the outlet", what was said to be lost is signed."""

    def meaning(self, code: str, text: str) -> Meaning:
        if code == ODD:
            return Meaning(State.ARRIVED_AT_OUTLET)
        if not code and "谜" in text:
            return Meaning(State.DELIVERED, Kind.UNSPECIFIED)
        return kdniao.meaning(code, text)


MENDED: dict[str, Network] = {"kdniao": Mended()}
UNCHANGED: dict[str, Network] = {"kdniao": kdniao}


def body_of(push_hour: float, *news: News) -> bytes:
    return seal_push(MERCHANT, "102", push_data(MERCHANT.id, "102", list(news), at=at(push_hour)))


def news_of(number: str, *scans: tuple[float, str, str], state_ex: str | None = None) -> News:
    traces = tuple(TraceNews(at(hour), code, text) for hour, code, text in scans)
    return News(CARRIER, number, "", scans[-1][1] if state_ex is None else state_ex, traces)


@pytest.fixture
def tell(work: Work, shop: Shop, clock: FixedClock) -> Tell:
    """A push comes, as real bytes, at the hour it was sent."""

    def one(push_hour: float, *news: News) -> None:
        clock.jump(at(push_hour))
        body = body_of(push_hour, *news)
        [inbox_id] = mint_ids(1, at_ms=int(clock.now().timestamp() * 1000))
        received = Received(inbox_id, shop.aggregator_id, kdniao, body, kdniao.read_push(body), body[-32:], clock.now())
        work.run(lambda tx: actions.apply(tx, [received]))

    return one


@pytest.fixture
def everything(rows: Rows) -> Callable[[], list[Any]]:
    """Every fact and what followed, row by row, with the versions of the rows."""
    return lambda: [rows(f"SELECT xmin::text, * FROM {table} ORDER BY 2, 3, 4") for table in FACTS]


def compared(work: Work, networks: dict[str, Network], **narrow: Any) -> int:
    selection = Selection(at(-1000), at(5000), **narrow)
    replay_id = work.run(lambda tx: replaying.begin(tx, selection, actor=ME, by_job=False))
    while work.run(lambda tx: replaying.carry_on(tx, replay_id, networks)):
        pass
    return replay_id


def applied(work: Work, replay_id: int, networks: dict[str, Network]) -> None:
    work.run(lambda tx: replaying.apply(tx, replay_id, actor=ME, by_job=False))
    while work.run(lambda tx: replaying.carry_on(tx, replay_id, networks)):
        pass


def changed(work: Work, replay_id: int) -> list[tuple[int, str, str, list[str]]]:
    with work.begin(read_only=True) as tx:
        return [
            (row.parcel_id, row.state_before, row.state, row.events) for row in replaying.list_changed(tx, replay_id)
        ]


def assert_sound(work: Work) -> None:
    with work.begin() as tx:
        assert stored_state_equals_fold.broken(tx) == []
        assert tx.conn.execute(known_set_matches_scans.SQL).fetchall() == []


@pytest.fixture
def odd(work: Work, parcel: Bound, tell: Tell) -> Bound:
    """A parcel whose newest scan has a code that nobody documented."""
    tell(9, news_of("YT1", (8, "1", "collected")))
    tell(11, news_of("YT1", (8, "1", "collected"), (10, ODD, "odd")))
    return parcel


def test_a_mended_table_heals_history(work: Work, odd: Bound, rows: Rows, everything: Callable[[], list[Any]]) -> None:
    assert rows("SELECT state FROM track") == ["unknown"]
    before, events = everything(), rows("SELECT max(id) FROM event")[0]

    replay_id = compared(work, MENDED)

    assert everything() == before
    assert changed(work, replay_id) == [(odd.parcel_id, "unknown", "arrived_at_outlet", ["ParcelMoved"])]
    with work.begin(read_only=True) as tx:
        found = replaying.look(tx, replay_id)
    assert (found.counts.scans, found.counts.claims, found.counts.moved) == (1, 1, 1)
    assert [(row.code, row.state_before, row.state, row.facts) for row in found.codes] == [
        (ODD, "unknown", "arrived_at_outlet", 2)
    ]

    applied(work, replay_id, MENDED)

    assert rows("SELECT state FROM track") == ["arrived_at_outlet"]
    assert rows("SELECT state FROM scan WHERE code = %s", ODD) == ["arrived_at_outlet"]
    assert rows("SELECT claim_state FROM telling") == ["arrived_at_outlet"]
    assert rows("SELECT name, cause FROM event WHERE id > %s", events) == [("ParcelMoved", f"replay:{replay_id}")]
    assert rows("SELECT count(*) FROM unknown_code") == [0]
    assert_sound(work)


def test_applying_twice_and_replaying_again_change_nothing(
    work: Work, odd: Bound, everything: Callable[[], list[Any]]
) -> None:
    replay_id = compared(work, MENDED)
    applied(work, replay_id, MENDED)
    after = everything()
    with pytest.raises(Conflict):
        applied(work, replay_id, MENDED)
    again = compared(work, MENDED)
    assert changed(work, again) == []
    applied(work, again, MENDED)
    assert everything() == after


def test_nobody_is_told_a_second_time_that_it_was_delivered(work: Work, parcel: Bound, tell: Tell, rows: Rows) -> None:
    """The unknown code lies in the middle of a journey that has ended: the history heals, nothing is said."""
    tell(12, news_of("YT1", (8, "1", "collected"), (10, ODD, "odd"), (11, "301", "signed")))
    events = rows("SELECT name FROM event ORDER BY id")
    replay_id = compared(work, MENDED)
    assert changed(work, replay_id) == []
    applied(work, replay_id, MENDED)
    assert rows("SELECT state FROM scan WHERE code = %s", ODD) == ["arrived_at_outlet"]
    assert rows("SELECT name FROM event ORDER BY id") == events
    assert_sound(work)


def test_words_without_a_code_are_read_by_todays_rules(work: Work, parcel: Bound, tell: Tell, rows: Rows) -> None:
    assert text_rules.meaning_of("谜 13812345678").state is State.UNKNOWN
    tell(9, news_of("YT1", (8, "1", "collected"), (8.5, "", "谜 13812345678"), state_ex=""))
    replay_id = compared(work, MENDED)
    assert [(state, events) for _, _, state, events in changed(work, replay_id)] == [("delivered", ["Delivered"])]
    applied(work, replay_id, MENDED)
    assert rows("SELECT state FROM track") == ["delivered"]
    assert rows("SELECT text FROM scan WHERE code = ''") == ["谜 1**********"]


def test_with_the_table_unchanged_nothing_differs(
    work: Work, shop: Shop, odd: Bound, tell: Tell, everything: Callable[[], list[Any]]
) -> None:
    """Withdrawals, late pushes, numbers used again, scans nobody owns, strangers: all stay as they were decided."""
    work.run(lambda tx: bind_parcels(tx.conn, shop, ["YT2"]))
    tell(14, news_of("YT2", (8, "1", "collected"), (13, "301", "signed")), news_of("NOBODY", (8, "1", "collected")))
    tell(15, news_of("YT2", (8, "1", "collected")))  # the delivery is withdrawn
    tell(15.5, news_of("YT2", (-40, "1", "of another parcel"), (8, "1", "collected"), (12, "", "无法签收")))
    tell(16, news_of("YT1", (8, "1", "collected"), (10, ODD, "odd"), (15, "202", "out")))
    tell(16, news_of("YT1", (8, "1", "collected"), state_ex="403"))
    before = everything()
    replay_id = compared(work, UNCHANGED)
    with work.begin(read_only=True) as tx:
        found = replaying.look(tx, replay_id)
    assert (found.replay.pushes, found.counts.scans, found.counts.claims, found.counts.parcels) == (7, 0, 0, 0)
    applied(work, replay_id, UNCHANGED)
    assert everything() == before


@pytest.mark.parametrize("seed", range(5))
def test_any_history_stays_as_it_is(
    work: Work, shop: Shop, tell: Tell, everything: Callable[[], list[Any]], seed: int
) -> None:
    """Random tellings of a few numbers: cut, recoded, late, repeated, with claims of their own."""
    dice = random.Random(seed)
    numbers = ["A", "B", "C"]
    work.run(lambda tx: bind_parcels(tx.conn, shop, numbers[:2]))
    lines = [(hour, f"at {hour}") for hour in range(1, 9)]
    for _ in range(30):
        told = [
            news_of(
                number,
                *sorted(
                    (hour, dice.choice(["1", "202", "204", "301", "405", ODD, ""]), dice.choice([text, "无法签收"]))
                    for hour, text in dice.sample(lines, dice.randint(1, 6))
                ),
                state_ex=dice.choice(["", "403", "412", "999", "2", "301"]),
            )
            for number in dice.sample(numbers, dice.randint(1, 3))
        ]
        tell(dice.uniform(9, 20), *told)
    assert_sound(work)
    before = everything()
    applied(work, compared(work, UNCHANGED), UNCHANGED)
    assert everything() == before

    applied(work, compared(work, MENDED), MENDED)
    assert_sound(work)
    after = everything()
    applied(work, compared(work, MENDED), MENDED)
    assert everything() == after


@pytest.mark.parametrize(
    ("narrow", "hit"),
    [
        ({"carrier": CARRIER}, True), ({"carrier": "SF"}, False), ({"number": "YT1"}, True), ({"number": "YT2"}, False),
        ({"code": ODD}, True), ({"code": "298"}, False),
    ],
)  # fmt: skip
def test_a_replay_is_narrowed(work: Work, odd: Bound, narrow: dict[str, str], hit: bool) -> None:
    assert bool(changed(work, compared(work, MENDED, **narrow))) is hit


def test_a_replay_of_one_parcel_reads_only_its_pushes(work: Work, shop: Shop, odd: Bound, tell: Tell) -> None:
    [other] = work.run(lambda tx: bind_parcels(tx.conn, shop, ["YT2"]))
    tell(14, news_of("YT2", (8, "1", "collected"), (13, ODD, "odd")))
    replay_id = compared(work, MENDED, parcel_id=other.parcel_id)
    assert [parcel_id for parcel_id, *_ in changed(work, replay_id)] == [other.parcel_id]
    with work.begin(read_only=True) as tx:
        assert (found := replaying.look(tx, replay_id).replay).pushes == found.pushes_of == 1


def test_pushes_of_another_time_are_left_alone(work: Work, odd: Bound) -> None:
    selection = Selection(at(31), at(5000))  # everything came before
    replay_id = work.run(lambda tx: replaying.begin(tx, selection, actor=ME, by_job=False))
    assert not work.run(lambda tx: replaying.carry_on(tx, replay_id, MENDED))
    assert changed(work, replay_id) == []


def test_steps_go_on_where_the_last_one_ended(
    work: Work, shop: Shop, tell: Tell, monkeypatch: pytest.MonkeyPatch, rows: Rows
) -> None:
    """One push and one parcel a step: a process may die between any two, another one goes on."""
    monkeypatch.setattr(replaying, "PUSHES_AT_ONCE", 1)
    monkeypatch.setattr(replaying, "PARCELS_AT_ONCE", 1)
    work.run(lambda tx: bind_parcels(tx.conn, shop, ["A", "B", "C"]))
    for hour, number in ((9, "A"), (10, "B"), (11, "C")):
        tell(hour, news_of(number, (8, ODD, "odd")))
    replay_id = compared(work, MENDED)
    work.run(lambda tx: replaying.apply(tx, replay_id, actor=ME, by_job=False))
    steps = 0
    while work.run(lambda tx: replaying.carry_on(tx, replay_id, MENDED)):
        steps += 1
        assert rows("SELECT count(*) FROM track WHERE state = 'arrived_at_outlet'") == [steps]
    assert steps == 3
    assert rows("SELECT count(*) FROM event WHERE cause = %s AND name = 'ParcelMoved'", f"replay:{replay_id}") == [3]
    assert_sound(work)


def test_what_was_told_since_it_was_compared_wins(work: Work, odd: Bound, tell: Tell, rows: Rows) -> None:
    replay_id = compared(work, MENDED)
    tell(13, news_of("YT1", (8, "1", "collected"), (10, "204", "odd"), (12, "301", "signed")))
    applied(work, replay_id, MENDED)
    assert rows("SELECT state FROM track") == ["delivered"]
    assert rows("SELECT state FROM scan WHERE code = '204'") == ["in_transit"]
    assert_sound(work)


def test_a_stopped_replay_goes_no_further(work: Work, odd: Bound, rows: Rows) -> None:
    replay_id = compared(work, MENDED)
    work.run(lambda tx: replaying.stop(tx, replay_id, actor=ME))
    with pytest.raises(Conflict):
        work.run(lambda tx: replaying.apply(tx, replay_id, actor=ME, by_job=False))
    assert rows("SELECT state FROM track") == ["unknown"]
    with pytest.raises(Missing):
        work.run(lambda tx: replaying.stop(tx, replay_id + 1, actor=ME))


class Blind(Kdniao):
    """A reader that understands nothing."""

    def read_push(self, body: bytes) -> Pushed:
        raise Unreadable("no reader")


def test_quarantined_pushes_are_tried_the_same_way(
    work: Work, shop: Shop, parcel: Bound, rows: Rows, clock: FixedClock, everything: Callable[[], list[Any]]
) -> None:
    body = body_of(9, news_of("YT1", (8, "1", "collected")))
    clock.jump(at(9))
    work.run(
        lambda tx: actions.quarantine(
            tx, aggregator_id=shop.aggregator_id, digest=b"d" * 32, body=body, reason="no reader"
        )
    )
    blind = compared(work, {"kdniao": Blind()})
    assert rows("SELECT said FROM replay_quarantine WHERE replay_id = %s", blind) == ["no reader"]
    before = everything()

    replay_id = compared(work, UNCHANGED)

    assert everything() == before
    assert rows("SELECT scans, moved, said FROM replay_quarantine WHERE replay_id = %s", replay_id) == [(1, 1, "")]
    applied(work, replay_id, UNCHANGED)
    assert rows("SELECT state FROM track") == ["collected"]
    assert rows("SELECT name FROM event") == ["ParcelCollected"]
    with work.begin() as tx:
        assert reading.list_quarantine(tx) == []
        assert store_replay.count_found(tx.conn, replay_id).taken == 1
    assert_sound(work)


def test_pushes_whose_key_is_gone_are_counted(work: Work, odd: Bound) -> None:
    with work.begin() as tx:
        keys: Sequence[int] = [key for (key,) in tx.conn.execute("SELECT key_id FROM inbox")]
        tx.keys.destroy(tx.conn, keys, tx.now + timedelta(0))
    replay_id = compared(work, MENDED)
    with work.begin(read_only=True) as tx:
        found = replaying.look(tx, replay_id)
    assert (found.replay.pushes, found.replay.unread, found.counts.scans) == (2, 2, 0)
