"""What is answered to carriers who push: verified over the raw bytes, decoded, handed to the door, answered after the
commit. `doorway` is the HTTP around it.

Guaranteed: nothing is read before its signature held, and a bad one leaves nothing but a count; what is signed is
kept, readable or not; a push that is not durable is answered with failure, so that the carrier sends it again.
The loop never waits for the database: accounts are kept in memory, refreshed every few seconds.
"""

import asyncio
import logging
import threading
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Protocol

import psycopg

from waystream.core.errors import Missing, Unreadable, WaystreamError
from waystream.core.ports import Network, Reply
from waystream.kernel.database import error_text
from waystream.kernel.ids import mint_ids
from waystream.kernel.tx import Tx, Work
from waystream.parts.hub import actions as hub
from waystream.parts.hub import hearing
from waystream.parts.hub.model import OpenAggregator
from waystream.parts.tracking import actions as tracking
from waystream.parts.tracking import outages
from waystream.parts.tracking.model import Received, digest_of
from waystream.parts.tracking.stream import PushDoor
from waystream.web.landing import Landing

log = logging.getLogger("waystream.push")

BODY_LIMIT_BYTES = 4 * 1024 * 1024
REFRESH_S = 1.0
INLINE_MAX_BYTES = 256 * 1024  # a larger body is decoded in a thread: the loop has others to serve
UNSIGNED = 401


class Observer(Protocol):
    """Told of every push that was answered, for the figures; `outcome` is taken, again, unsigned or unreadable, and
    only what could be read has an id."""

    def __call__(self, integration: str, outcome: str, /, *, seconds: float, inbox_id: int | None) -> None: ...


class PushDesk:
    """The accounts pushes come for, the door they go through, and the counts of what came."""

    def __init__(
        self,
        *,
        work: Work,
        networks: Mapping[str, Network],
        door: PushDoor,
        body_limit_bytes: int = BODY_LIMIT_BYTES,
        observe: Observer | None = None,
    ) -> None:
        self._work = work
        self._networks = networks
        self._door = door
        self.body_limit_bytes = body_limit_bytes
        self._observe = observe
        self._accounts: Mapping[tuple[str, str], OpenAggregator] = {}
        self._good: set[int] = set()
        self._bad: Counter[int] = Counter()
        self._heard: Counter[tuple[int, str]] = Counter()
        self._failed: Counter[str] = Counter()
        self._hearing = threading.Lock()
        self._landing = Landing()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._tend, name="push desk", daemon=True)

    def start(self) -> None:
        self.refresh()
        self._door.start()
        self._thread.start()

    def stop(self) -> None:
        """Take in what was accepted, write down the counts, then end."""
        self._ended.set()
        self._thread.join()
        self._log_failures()
        self._door.stop()

    def refresh(self) -> None:
        """Read the accounts, write the counts, and say that pushes can be taken in."""
        good, self._good = self._good, set()
        bad, self._bad = self._bad, Counter()
        with self._hearing:
            heard, self._heard = self._heard, Counter()
        try:
            self._accounts, outage_id = self._work.run(
                lambda tx: (_exchange_counts(tx, good, bad, heard), outages.beat(tx, self._networks))
            )
        except (psycopg.Error, WaystreamError):
            self._good |= good
            self._bad.update(bad)
            with self._hearing:
                self._heard.update(heard)
            raise
        if outage_id is not None:
            log.warning("outage %d: pushes could not be taken in, the carriers are asked", outage_id)

    def _tend(self) -> None:
        while not self._ended.is_set():
            self._ended.wait(REFRESH_S)
            self._log_failures()
            try:
                self.refresh()
            except (psycopg.Error, WaystreamError) as error:
                log.warning("the accounts of pushes were not refreshed: %s", error_text(error))

    def _log_failures(self) -> None:
        """One line for each kind of trouble: in an outage thousands of pushes a second meet the same."""
        failed, self._failed = self._failed, Counter()
        for error, count in failed.items():
            log.warning("%d pushes were answered with failure: %s", count, error)

    def find(self, integration: str, code: str) -> tuple[OpenAggregator, Network]:
        """Whose pushes come to this address. Raises `Missing`."""
        account, network = self._accounts.get((integration, code)), self._networks.get(integration)
        if account is None or network is None:
            raise Missing("There is no account at this address")
        return account, network

    async def answer(self, account: OpenAggregator, network: Network, body: bytes) -> Reply:
        """One push, from its bytes to its answer."""
        began = time.perf_counter()
        if len(body) <= INLINE_MAX_BYTES:
            read = self._read(account, network, body)
        else:
            read = await asyncio.to_thread(self._read, account, network, body)
        match read:
            case None:
                self._bad[account.id] += 1
                self._tell(account, "unsigned", began)
                return replace(self._say(account, network, "the signature does not fit"), status=UNSIGNED)
            case Unreadable():
                failed = await asyncio.to_thread(self._quarantine, account, body, read)
                self._tell(account, "again" if failed else "unreadable", began)
            case Received():
                self._good.add(account.id)
                failed = await self._submit(read)
                self._tell(account, "again" if failed else "taken", began, read.id)
                with self._hearing:  # whoever pushes is heard, though we ask for it again
                    self._heard.update({(account.id, item.carrier) for item in read.push.items})
        return self._say(account, network, failed)

    def _tell(self, account: OpenAggregator, outcome: str, began: float, inbox_id: int | None = None) -> None:
        if self._observe:
            self._observe(account.integration, outcome, seconds=time.perf_counter() - began, inbox_id=inbox_id)

    def _read(self, account: OpenAggregator, network: Network, body: bytes) -> Received | Unreadable | None:
        """The push; why it cannot be read; None where the signature does not fit."""
        try:
            push = network.open_push(account.aggregator, body)
        except Unreadable as error:
            return error
        if push is None:
            return None
        now = self._work.clock.now()
        (inbox_id,) = mint_ids(1, at_ms=int(now.timestamp() * 1000))
        return Received(
            id=inbox_id,
            aggregator_id=account.id,
            network=network,
            body=body,
            push=push,
            digest=digest_of(account.integration, account.code, body),
            received_at=now,
        )

    async def _submit(self, received: Received) -> str:
        """Why it was not taken in; empty when it is durable."""
        try:
            await self._landing.bring(self._door.submit(received))
        except (psycopg.Error, WaystreamError) as error:
            self._failed[error_text(error)] += 1
            return "again later"
        return ""

    def _quarantine(self, account: OpenAggregator, body: bytes, why: Unreadable) -> str:
        digest = digest_of(account.integration, account.code, body)
        try:
            self._work.run(
                lambda tx: tracking.quarantine(
                    tx, aggregator_id=account.id, digest=digest, body=body, reason=why.sentence
                )
            )
        except (psycopg.Error, WaystreamError) as error:
            self._failed[error_text(error)] += 1
            return "again later"
        return ""

    def _say(self, account: OpenAggregator, network: Network, failed: str) -> Reply:
        """In the network's own words: yes, or no and why."""
        return network.answer_push(
            merchant_id=account.aggregator.merchant_id, at=self._work.clock.now(), accepted=not failed, reason=failed
        )


def _exchange_counts(
    tx: Tx, good: set[int], bad: Mapping[int, int], heard: Mapping[tuple[int, str], int]
) -> dict[tuple[str, str], OpenAggregator]:
    for aggregator_id in sorted(good):
        hub.note_push(tx, aggregator_id)
    for aggregator_id, count in sorted(bad.items()):
        hub.note_bad_signatures(tx, aggregator_id, count)
    hearing.note(tx, heard)
    accounts = [hub.open_aggregator(tx, row.id) for row in hub.list_aggregators(tx)]
    return {(account.integration, account.code): account for account in accounts}
