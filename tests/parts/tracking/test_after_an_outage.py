"""A carrier network pushes for days; we are away for hours of it, longer than it pushes again. Afterwards every parcel
is where the network says it is, and every event was said once.

The network is the sandbox's: seeded journeys, its retries, its own words on the wire; only sockets are left out.
"""

import asyncio
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.parts.tracking.conftest import Rows
from tests.parts.tracking.given import CARRIER, DAY, Shop, bind_parcels
from waystream.core.account import aggregator_aad
from waystream.core.facts import Claim, Scan
from waystream.core.parcel import Facts, fold
from waystream.core.ports import Aggregator, Ask, HttpAsk, Network, Reply
from waystream.core.state import State
from waystream.integrations.kdniao.adapter import network as kdniao
from waystream.integrations.kdniao.fake import Issued, KdniaoSide, News, Place, Subscription
from waystream.invariants import known_set_matches_scans, stored_state_equals_fold
from waystream.kernel.clock import FixedClock
from waystream.kernel.ids import mint_ids
from waystream.kernel.jobs import Outside
from waystream.kernel.runner import Runner
from waystream.kernel.tx import Tx, Work
from waystream.parts.tracking import actions, jobs, outages
from waystream.parts.tracking.model import Received, digest_of
from waystream.sandbox.book import SandboxBook
from waystream.sandbox.faults import NO_FAULTS, Mischief
from waystream.sandbox.pusher import Pusher
from waystream.sandbox.settings import Customer, SandboxSettings
from waystream.sandbox.world import USUAL, Fate, Trip, fate_of, journey

MERCHANT, KEY, SEED = "1237100", "secret", 7
NETWORKS: dict[str, Network] = {"kdniao": kdniao}
PARCELS = 60
STEP = timedelta(minutes=5)
BORN = DAY + timedelta(hours=30, minutes=32)  # the clock of tests
#: A delivery taken back while nobody listens is told with the next change: it is no parcel under way.
MIX = tuple((fate, weight) for fate, weight in USUAL if fate not in (Fate.RETRACTED, Fate.CONTRADICTED))


def plan(one: Issued) -> Any:
    trip = Trip(SEED, one.carrier, one.number, one.origin, one.destination, one.at, 0.4)
    return journey(trip, fate_of(SEED, one.number, MIX))


class Street:
    """The network at the other end of the wire, and us, who may be away."""

    def __init__(self, folder: Path, work: Work, shop: Shop, clock: FixedClock) -> None:
        self.work, self.shop, self.clock = work, shop, clock
        self.here = True
        self.asked: list[datetime] = []
        self.book = SandboxBook(folder / "book.sqlite3", plan=plan)
        customer = Customer(MERCHANT, KEY, "http://us/push")
        self.pusher = Pusher(
            SandboxSettings(folder, (customer,), retry_floor_s=0),
            book=self.book,
            mischief=Mischief(NO_FAULTS, seed=SEED, folder=folder),
            transport=httpx.MockTransport(self._receive),
        )
        self.side = KdniaoSide([customer.merchant], book=self.book, seed=SEED)

    def issue(self) -> None:
        places = (Place("浙江省", "杭州市", "余杭区"), Place("四川省", "成都市", "武侯区"))
        for n in range(PARCELS):
            one = Issued(MERCHANT, f"WS{n}", CARRIER, f"YT{n:03}", self.clock.now(), *places)
            self.book.issue(one, Subscription(MERCHANT, CARRIER, one.number, one.order_code, "102", one.at))

    def _receive(self, request: httpx.Request) -> httpx.Response:
        """Our push door, without its socket."""
        if not self.here:
            raise httpx.ConnectError("nobody listens")
        body = request.content
        push = kdniao.open_push(Aggregator(MERCHANT, KEY, ""), body)
        assert push is not None
        now = self.clock.now()
        [inbox_id] = mint_ids(1, at_ms=int(now.timestamp() * 1000))
        digest = digest_of("kdniao", "main", body)
        received = Received(inbox_id, self.shop.aggregator_id, kdniao, body, push, digest, now)
        self.work.run(lambda tx: actions.apply(tx, [received]))
        answer = kdniao.answer_push(merchant_id=MERCHANT, at=now, accepted=True, reason="")
        return httpx.Response(answer.status, content=answer.body)

    def send(self, ask: Ask) -> Reply:
        """The exchange: our call at the network's counter."""
        assert isinstance(ask, HttpAsk)
        self.asked.append(self.clock.now())
        return self.side.answer(ask.body, at=self.clock.now())

    def live(self, until: datetime) -> None:
        """Time passes; the network tells what changes, and tells again what nobody took."""

        async def pass_time() -> None:
            while self.clock.now() < until:
                self.clock.advance(STEP)
                if self.here:
                    assert self.beat() is None
                while self.pusher.gather(self.clock.now()):
                    pass
                while await self.pusher.send_due(self.clock.now()):
                    pass

        asyncio.run(pass_time())

    def beat(self) -> int | None:
        return self.work.run(lambda tx: outages.beat(tx, NETWORKS, silent_s=0))

    def work_off(self) -> None:
        """All jobs, by a process that has just started, and what is queued after them."""
        runner = Runner(self.work, jobs.handlers(Outside(self, NETWORKS, {})))  # type: ignore[arg-type]
        while runner.drain():
            self.work.run(outages.feed)


@pytest.fixture
def street(tmp_path: Path, work: Work, shop: Shop, clock: FixedClock) -> Iterator[Street]:
    street = Street(tmp_path, work, shop, clock)
    street.issue()
    yield street
    asyncio.run(street.pusher.close())
    street.book.close()


@pytest.fixture
def bound(work: Work, shop: Shop, clock: FixedClock, street: Street) -> None:
    def bind(tx: Tx) -> None:
        sealed = tx.keys.vault.seal_secret(KEY, aad=aggregator_aad("main"))
        tx.conn.execute("UPDATE aggregator SET key_sealed = %s", [sealed])
        made = bind_parcels(tx.conn, shop, [f"YT{n:03}" for n in range(PARCELS)], taken_at=clock.now())
        actions.begin_tracks(tx, [one.binding_id for one in made])

    work.run(bind)


def truth(news: News, at: datetime) -> tuple[str, str, str]:
    """Where the network says a parcel is, folded from nothing but its own words of this moment."""
    scans = tuple(
        Scan(n, "kdniao", one.at, one.code, at, kdniao.meaning(one.code, one.text)) for n, one in enumerate(news.traces)
    )
    claim = Claim("kdniao", at, news.state_ex, kdniao.meaning(news.state_ex, ""), at)
    track = fold(Facts(scans, (), (claim,)))
    return track.state.value, track.kind.value, track.direction.value


def wrong(street: Street, rows: Rows) -> list[Any]:
    """The parcels that are elsewhere than the network says."""
    stored = rows(
        """SELECT number, track.state, kind, direction FROM track JOIN binding ON binding.id = binding_id
           ORDER BY number"""
    )
    assert len(stored) == PARCELS
    now = street.clock.now()
    said = [(row, truth(street.book.news_of(CARRIER, row[0], now, since=BORN), now)) for row in stored]
    return [(row, told) for row, told in said if row[1:] != told]


def test_after_an_outage_every_parcel_is_where_the_network_says(
    street: Street, bound: None, rows: Rows, clock: FixedClock, work: Work
) -> None:
    street.beat()
    street.live(BORN + timedelta(hours=19))
    assert wrong(street, rows) == []

    street.here = False
    gone_at = clock.now()
    street.live(gone_at + timedelta(hours=11))
    street.here = True
    lost = wrong(street, rows)
    assert len(lost) > PARCELS // 4
    assert any(told[0] == State.DELIVERED for _, told in lost)
    unheard = rows("SELECT count(*) FROM track WHERE state = ANY (%s)", ["out_for_delivery", "ready_for_pickup"])[0]
    living = rows("SELECT count(*) FROM track WHERE state <> ALL (%s)", ["delivered", "returned", "lost", "cancelled"])
    before = rows("SELECT max(id) FROM event")[0]

    assert street.beat() is not None
    street.work_off()

    assert wrong(street, rows) == []
    assert len(street.asked) == living[0]
    assert unheard > 0
    assert rows("SELECT state FROM outage") == ["done"]
    changed = rows("SELECT count(*) FROM inquiry WHERE state = 'changed'")[0]
    assert changed == rows("SELECT count(DISTINCT subject) FROM event WHERE id > %s", before)[0] == len(lost)
    _assert_sound(work, rows)


def test_the_network_tells_on_and_nothing_is_said_twice(
    street: Street, bound: None, rows: Rows, clock: FixedClock, work: Work
) -> None:
    """Two outages, then the journeys end: each parcel is delivered once, whoever told it."""
    street.beat()
    for hours in (26, 40):
        street.live(BORN + timedelta(hours=hours))
        street.here = False
        street.live(clock.now() + timedelta(hours=9))
        street.here = True
        assert street.beat() is not None
        street.work_off()
    street.live(BORN + timedelta(days=14))
    assert wrong(street, rows) == []
    per_outage = rows("SELECT count(*) - count(DISTINCT (outage_id, parcel_id)) FROM inquiry")
    assert per_outage == [0]
    assert (
        rows(
            """SELECT subject FROM event WHERE name = 'Delivered' AND body ->> 'before' <> 'delivered'
           GROUP BY subject HAVING count(*) > 1"""
        )
        == []
    )
    delivered = rows("SELECT count(*) FROM track WHERE state = 'delivered'")
    assert rows("SELECT count(DISTINCT subject) FROM event WHERE name = 'Delivered'") == delivered
    assert delivered[0] > PARCELS // 2
    _assert_sound(work, rows)


def _assert_sound(work: Work, rows: Callable[..., list[Any]]) -> None:
    with work.begin() as tx:
        assert stored_state_equals_fold.broken(tx) == []
        assert tx.conn.execute(known_set_matches_scans.SQL).fetchall() == []
    assert rows("SELECT count(*) FROM quarantine") == rows("SELECT count(*) FROM stranger") == [0]
