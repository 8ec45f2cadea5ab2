"""Live pages: one thread listens for new events and tells every open stream which of its keys changed.

A key is what a page watches: `overview`, `orders`, `parcels`, `order:ID`, `parcel:ID`, `floor`, `machine` … A stream is
told at most once a second, only of shops its caller may see, and can resume from the last position it was told.
The HTTP side is `stream`; what a page does with a key is static/live.js.
"""

import asyncio
import threading
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

from waystream.core.errors import Unavailable
from waystream.kernel.database import Shops
from waystream.kernel.log import LOG_CHANNEL
from waystream.kernel.tx import Work

READ_AT_ONCE = 2_000
RESUME_AT_MOST = 2_000
STREAMS_EACH = 8
#: Buyers have places of their own: however many look after their parcel, the staff's pages follow.
STAFF, BUYERS = "staff", "buyers"
STREAMS_AT_MOST = {STAFF: 2_000, BUYERS: 5_000}

#: Keys of things that only one person should work on: who has one open is shown to the others.
LOOKED_AT = "ticket:"

#: Events whose change is seen on a list of its own as well.
_FLOOR = frozenset({"LabelPrinted", "LabelVoided", "PrintFailed", "ParcelDispatched", "WaybillIssued"})


@dataclass(frozen=True, slots=True)
class Change:
    """One event as far as pages care: where it stands in the log, whose it is, which keys it touches."""

    position: int
    shop_id: int
    keys: frozenset[str]


@dataclass(frozen=True, slots=True)
class Told:
    """What a stream says: the keys that changed, and the position up to which this holds."""

    position: int
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Looker:
    """Somebody who has a page of this thing open."""

    actor: str
    name: str


@dataclass(eq=False)
class Watch:
    """One open stream. The listening thread adds to `dirty`, the stream's own coroutine takes from it."""

    keys: frozenset[str]
    shops: Shops
    loop: asyncio.AbstractEventLoop
    actor: str = ""
    name: str = ""
    place: str = STAFF
    position: int = 0
    woken: asyncio.Event = field(default_factory=asyncio.Event)
    _dirty: set[str] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, changes: Iterable[Change]) -> None:
        """From any thread: remember the keys of ours that changed."""
        hit = {key for change in changes if change.shop_id in self.shops for key in change.keys & self.keys}
        self.touch(hit)

    def touch(self, keys: Collection[str]) -> None:
        if not keys:
            return
        with self._lock:
            self._dirty.update(keys)
        self.wake()

    def wake(self) -> None:
        if not self.loop.is_closed():
            self.loop.call_soon_threadsafe(self.woken.set)

    def take(self, position: int) -> Told:
        with self._lock:
            keys, self._dirty = tuple(sorted(self._dirty)), set()
        return Told(position, keys)


class Live:
    """The listening thread and the open streams. `start` once, `close` before the server stops: it ends the streams."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._watches: dict[Watch, None] = {}  # in the order they were opened
        self._watching: dict[str, dict[Watch, None]] = {}  # by key: a change asks nobody whom it does not concern
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._position = 0
        self._thread: threading.Thread | None = None

    @property
    def closed(self) -> bool:
        return self._closed.is_set()

    @property
    def position(self) -> int:
        """The last position that was told."""
        return self._position

    @property
    def streams(self) -> int:
        return len(self._watches)

    def start(self) -> None:
        self._position = self._newest()
        self._thread = threading.Thread(target=self._listen, name="live", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End every stream; the thread itself ends when its database is closed."""
        self._closed.set()
        with self._lock:
            watches = tuple(self._watches)
        for watch in watches:
            watch.wake()

    def join(self, timeout_s: float = 5.0) -> None:
        if self._thread is not None:
            self._thread.join(timeout_s)

    def watch(
        self,
        *,
        keys: frozenset[str],
        shops: Shops,
        since: int | None,
        loop: asyncio.AbstractEventLoop,
        actor: str = "",
        name: str = "",
        place: str = STAFF,
    ) -> Watch:
        """Open a stream for a coroutine of `loop`; `since` is the last position its reader was told.

        An actor's ninth stream ends the first of their own. Raises `Unavailable` when everybody's places are taken.
        """
        watch = Watch(keys, shops, loop, actor, name, place)
        if not self._watches:
            self._position = max(self._position, self._newest())
        with self._lock:
            own = [other for other in self._watches if other.actor == actor]
            if len(own) >= STREAMS_EACH:
                self._drop(own[0])
                own[0].wake()
            if sum(other.place == place for other in self._watches) >= STREAMS_AT_MOST[place]:
                raise Unavailable("Too many pages are open: this one does not follow by itself", retry_after_s=30)
            self._add(watch)
        if since is not None and since < self._position:
            watch.note(self._missed(since, keys))
        self._tell_lookers(watch)
        return watch

    def leave(self, watch: Watch) -> None:
        with self._lock:
            self._drop(watch)
        self._tell_lookers(watch)

    def _add(self, watch: Watch) -> None:
        self._watches[watch] = None
        for key in watch.keys:
            self._watching.setdefault(key, {})[watch] = None

    def _drop(self, watch: Watch) -> None:
        self._watches.pop(watch, None)
        for key in watch.keys & self._watching.keys():
            self._watching[key].pop(watch, None)
            if not self._watching[key]:
                del self._watching[key]

    def list_lookers(self) -> dict[str, tuple[Looker, ...]]:
        """Who looks at what, by the keys that are looked at by people: `ticket:ID`. Of this process's streams only."""
        with self._lock:
            watches = tuple(self._watches)
        found: dict[str, dict[str, Looker]] = {}
        for watch in watches:
            for key in watch.keys if watch.name else ():
                if key.startswith(LOOKED_AT):
                    found.setdefault(key, {})[watch.actor] = Looker(watch.actor, watch.name)
        return {key: tuple(by_actor.values()) for key, by_actor in found.items()}

    def _tell_lookers(self, watch: Watch) -> None:
        """Somebody came to a thing or left it: those who look at the same are told."""
        keys = {key for key in watch.keys if key.startswith(LOOKED_AT)}
        with self._lock:
            others = [other for other in self._watches if other is not watch] if keys and watch.name else []
        for other in others:
            other.touch(keys & other.keys)

    def is_open(self, watch: Watch) -> bool:
        return not self.closed and watch in self._watches

    def poll(self) -> None:
        """Read what is new in the log and tell it; also called by the thread, whenever it is woken."""
        while changes := self._read_after(self._position):
            self._position = changes[-1].position
            for watch, keys in self._concerned(changes).items():
                watch.touch(keys)

    def _concerned(self, changes: Sequence[Change]) -> dict[Watch, set[str]]:
        """Who watches what changed: it costs the keys that changed and those who watch them, not everybody here."""
        touched: dict[str, set[int]] = defaultdict(set)
        concerned: dict[Watch, set[str]] = defaultdict(set)
        with self._lock:
            for change in changes:
                for key in change.keys & self._watching.keys():
                    touched[key].add(change.shop_id)
            for key, shop_ids in touched.items():
                for watch in self._watching[key]:
                    if any(shop_id in watch.shops for shop_id in shop_ids):
                        concerned[watch].add(key)
        return concerned

    def _listen(self) -> None:
        """Nobody's pages cost nothing: the log is read while there is an open stream."""
        for _ in self._work.database.listen(LOG_CHANNEL):
            if self.closed:
                return
            if self._watches:
                self.poll()

    def _missed(self, since: int, keys: frozenset[str]) -> Sequence[Change]:
        """What a returning reader missed; after a long absence simply everything it watches."""
        if self._position - since > RESUME_AT_MOST:
            return [Change(self._position, shop_id, keys) for shop_id in self._every_shop()]
        return self._read_after(since)

    def _read_after(self, position: int) -> list[Change]:
        with self._work.begin(read_only=True) as tx:
            rows = tx.conn.execute(
                """SELECT log.position, event.shop_id, event.name, event.subject, event.body -> 'order_ids',
                          event.body -> 'ticket_id'
                   FROM log JOIN event ON event.id = log.event_id
                   WHERE log.position > %s ORDER BY log.position LIMIT %s""",
                [position, READ_AT_ONCE],
            ).fetchall()
        return [
            Change(at, shop_id, keys_of(name, of, orders or (), ticket))
            for at, shop_id, name, of, orders, ticket in rows
        ]

    def _newest(self) -> int:
        with self._work.begin(read_only=True) as tx:
            row = tx.conn.execute("SELECT position FROM sequencer").fetchone()
        assert row is not None, "the sequencer's row is part of the schema"
        return int(row[0])

    def _every_shop(self) -> list[int]:
        with self._work.begin(read_only=True) as tx:
            return [row[0] for row in tx.conn.execute("SELECT id FROM shop").fetchall()]


def keys_of(name: str, subject: str, order_ids: Iterable[int], ticket_id: int | None = None) -> frozenset[str]:
    """The keys one event touches: its subject, its lists, the overview, every order in the parcel, its ticket."""
    lists = {"overview", "orders", "machine"} | ({"parcels"} if subject.startswith("parcel:") else set())
    floor = {"floor"} if name in _FLOOR else set()
    tickets = {"tickets", f"ticket:{ticket_id}"} if ticket_id else set()
    return frozenset({subject, *lists, *floor, *tickets, *(f"order:{order_id}" for order_id in order_ids)})
