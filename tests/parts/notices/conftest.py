"""A shop that speaks to its buyers, channels that remember what they were given, and all of it turned by hand."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.parts.world import World, build, move_parcel, order, put_parcel
from waystream import invariants, rules
from waystream.core.channels import ChannelKind, Handed, Letter
from waystream.core.events import Event
from waystream.core.events.fulfilment import ParcelDispatched
from waystream.core.events.tracking import _EVENT_OF, ParcelMoved
from waystream.core.state import Direction, Kind, State
from waystream.kernel import log, open_list
from waystream.kernel.clock import FixedClock
from waystream.kernel.database import Database
from waystream.kernel.dispatcher import Dispatcher
from waystream.kernel.exchange import Exchange
from waystream.kernel.jobs import Outside
from waystream.kernel.runner import Pace, Runner
from waystream.kernel.tx import Tx
from waystream.kernel.vault import Keys
from waystream.parts.notices import actions, jobs
from waystream.parts.notices.model import Policy
from waystream.parts.orders import actions as orders

NAMES = ("announced", "empties_notices", "settles_notice", "takes_back_delay")
RULES = [rule for rule in open_list.load(rules) if rule.__name__.endswith(NAMES)]
INVARIANTS = [each for each in open_list.load(invariants) if "_said_" in each.__name__]


@dataclass
class Recording:
    """A channel that remembers its letters, and does as `answer` says."""

    name: str = "mail"
    kind: ChannelKind = ChannelKind.EMAIL
    repeatable: bool = False
    answer: Callable[[Letter], Handed] | None = None
    letters: list[Letter] = field(default_factory=list)

    def send(self, letter: Letter) -> Handed:
        self.letters.append(letter)
        return self.answer(letter) if self.answer else Handed(f"receipt-{len(self.letters)}")


@dataclass
class Desk:
    """Waystream around the notices of the shop `tea`."""

    world: World
    clock: FixedClock
    channels: list[Recording] = field(default_factory=lambda: [Recording()])
    parcels: int = 0
    link: str = ""

    def __post_init__(self) -> None:
        self.exchange = Exchange()
        outside = Outside(self.exchange, {}, {}, channels=self._of_shop, links=lambda tx, order_id: self.link)
        pace = Pace(first_retry_s=0.0, longest_retry_s=0.0)
        self.runner = Runner(self.world.work, jobs.handlers(outside), jobs.SWEEPS, pace=pace)
        self.dispatcher = Dispatcher(self.world.work, RULES)
        self.dispatcher.drain()

    def _of_shop(self, tx: Tx, shop_id: int) -> Sequence[Recording]:
        return self.channels

    @property
    def letters(self) -> list[Letter]:
        """All that was handed over, whatever the channel."""
        return [letter for channel in self.channels for letter in channel.letters]

    def do(self, work: Callable[[Tx], Any]) -> Any:
        return self.world.work.run(work)

    def speak(self, **given: Any) -> None:
        policy = Policy(**{"enabled": True, "gather_s": 120} | given)
        self.do(lambda tx: actions.save_policy(tx, self.world.tea, policy, actor="staff:1"))

    def order(self, number: str = "A1", **given: Any) -> int:
        given = {"email": "luo@example.com"} | given
        [answer] = self.do(lambda tx: orders.accept(tx, [order(number, **given)]))
        return answer.order_id

    def parcel(self, order_id: int, **given: Any) -> int:
        self.parcels += 1
        parcel_id = 1_000 + self.parcels
        self.do(lambda tx: put_parcel(tx, order_id, parcel_id=parcel_id, **given))
        return parcel_id

    def dispatch(self, *parcel_ids: int) -> None:
        tea = self.world.tea
        self.emit(*(
            ParcelDispatched(shop_id=tea, parcel_id=each, order_ids=(), by="scan", at=self.clock.now())
            for each in parcel_ids
        ))  # fmt: skip

    def move(
        self,
        parcel_id: int,
        state: State,
        kind: Kind = Kind.NONE,
        *,
        text: str = "",
        before: State = State.IN_TRANSIT,
        at: datetime | None = None,
    ) -> None:
        """As the door would: the track changes, and says so."""
        at = at or self.clock.now()
        event = _EVENT_OF.get(state, ParcelMoved)(
            shop_id=self.world.tea, parcel_id=parcel_id, before=before, after=state, kind=kind,
            direction=Direction.OUT, at=at, because="scan:1",
        )  # fmt: skip

        def do(tx: Tx) -> None:
            move_parcel(tx, parcel_id, state=state.value, kind=kind.value, at=at)
            tx.conn.execute(
                "UPDATE track SET latest = %s, scanned_at = %s, changed_at = %s WHERE parcel_id = %s",
                [text, at, tx.now, parcel_id],
            )
            tx.emit(event)

        self.do(do)

    def emit(self, *events: Event) -> None:
        self.do(lambda tx: tx.emit(*events))

    def digest(self) -> None:
        """Let the rules read what happened."""
        self.world.work.database.run(log.sequence)
        self.dispatcher.drain()
        assert self.rows("SELECT rule, error FROM parked") == []

    def send(self) -> None:
        """Hand over what is due now, and again what was to be tried later."""
        self.runner.sweep("due_notices")
        for _ in range(30):
            self.do(lambda tx: tx.conn.execute("UPDATE job SET due_at = clock_timestamp() WHERE state = 'ready'"))
            if not self.runner.drain():
                return

    def settle(self, after: timedelta = timedelta(minutes=3)) -> None:
        self.digest()
        self.clock.advance(after)
        self.send()

    def rows(self, query: str, *given: Any) -> list[tuple[Any, ...]]:
        with self.world.work.begin() as tx:
            return tx.conn.execute(query, list(given)).fetchall()

    def notices(self) -> list[tuple[Any, ...]]:
        """(kind, state, why) of every notice, in the order they were planned."""
        return self.rows("SELECT kind, state, why FROM notice ORDER BY id")

    def said(self) -> list[str]:
        """The names of all events about notices."""
        return [name for (name,) in self.rows("SELECT name FROM event WHERE name LIKE 'Notice%%' ORDER BY id")]

    def broken(self) -> list[str]:
        return [str(row[0]) for each in INVARIANTS for row in self.rows(each.SQL)]


@pytest.fixture
def desk(database: Database, clock: FixedClock, keys: Keys) -> Iterator[Desk]:
    desk = Desk(build(database, clock, keys), clock)
    desk.speak()
    yield desk
    desk.exchange.close()
