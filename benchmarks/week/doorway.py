"""The real door, without HTTP before it: signed bodies are verified, opened, submitted, and waited for."""

from collections.abc import Iterable

from benchmarks.week.house import House
from waystream.app import App
from waystream.kernel.ids import mint_ids
from waystream.parts.hub import actions as hub
from waystream.parts.tracking.door import Door
from waystream.parts.tracking.model import Received, digest_of

WAITING_MAX = 1_000


class Doorway:
    def __init__(self, app: App, house: House) -> None:
        self._work = app.machine
        self._door = Door(self._work)
        with self._work.begin() as tx:
            self._account = hub.open_aggregator(tx, house.aggregator_id)
        self._network = app.networks[self._account.integration]

    def __enter__(self) -> "Doorway":
        self._door.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._door.stop()

    def take(self, bodies: Iterable[bytes]) -> None:
        """Until all of them are durable."""
        waiting = []
        for body in bodies:
            waiting.append(self._door.submit(self._read(body)))
            if len(waiting) == WAITING_MAX:
                waiting.pop(0).result()
        for applied in waiting:
            applied.result()

    def _read(self, body: bytes) -> Received:
        account, now = self._account, self._work.clock.now()
        push = self._network.open_push(account.aggregator, body)
        assert push is not None, "the signature holds"
        (inbox_id,) = mint_ids(1, at_ms=int(now.timestamp() * 1000))
        digest = digest_of(account.integration, account.code, body)
        return Received(inbox_id, account.id, self._network, body, push, digest, now)
