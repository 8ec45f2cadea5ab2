"""Tells the merchants what changed: gathers due waybills into pushes, sends them, sends again by the network's rule.

Follows the virtual clock. A push is written down before it is sent and forgotten after it was taken (or given up), so
a killed sandbox sends it again rather than never.
"""

import asyncio
import logging
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import groupby, islice

import httpx

from waystream.core.ports import Reply
from waystream.integrations.kdniao.fake import (
    News,
    Subscription,
    push_data,
    read_push_answer,
    retry_after_min,
    seal_push,
)
from waystream.sandbox.book import Outgoing, SandboxBook
from waystream.sandbox.faults import Mischief
from waystream.sandbox.settings import SandboxSettings

log = logging.getLogger(__name__)

GROUP_MAX = 10
_GATHER_MAX = 500  # waybills looked at in one go
_SEND_MAX = 100  # pushes read from the outbox at once
_AT_ONCE = 8  # connections to one merchant
_TIMEOUT_S = 20.0


class Pusher:
    def __init__(
        self,
        settings: SandboxSettings,
        *,
        book: SandboxBook,
        mischief: Mischief,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._settings = settings
        self._book = book
        self._mischief = mischief
        self._clock = settings.clock
        self._customers = {customer.id: customer for customer in settings.customers}
        self._client = httpx.AsyncClient(timeout=_TIMEOUT_S, transport=transport, trust_env=False)
        self._slots = asyncio.Semaphore(_AT_ONCE)

    async def run(self) -> None:
        """Until it is cancelled: gather, send, wait a tick."""
        while True:
            now = self._clock.now()
            self.gather(now)
            await self.send_due(now)
            await asyncio.sleep(self._settings.tick_s)

    async def close(self) -> None:
        await self._client.aclose()

    def gather(self, now: datetime) -> int:
        """Write down the pushes for all that changed; returns how many waybills that were."""
        due = [one for one in self._book.list_due(now, limit=_GATHER_MAX) if one.merchant_id in self._customers]
        if not due:
            return 0
        outgoing: list[Outgoing] = []
        for (merchant_id, push_type), group in groupby(sorted(due, key=self._kind), key=self._kind):
            for part in _parts(group, GROUP_MAX):
                news = [self.news(one, now) for one in part]
                data = push_data(merchant_id, push_type, news, at=now)
                outgoing += self._on_its_way(Outgoing(merchant_id, push_type, data, due_at=now), part[0].number)
        self._book.told(due, outgoing, now=now)
        return len(due)

    def news(self, one: Subscription, at: datetime) -> News:
        return self._book.news_of(one.carrier, one.number, at, order_code=one.order_code, since=one.at)

    def _kind(self, one: Subscription) -> tuple[str, str]:
        """An account of the basic edition gets 101 whatever was asked for."""
        basic = self._customers[one.merchant_id].push_type == "101"
        return one.merchant_id, "101" if basic else one.push_type

    def _on_its_way(self, push: Outgoing, about: str) -> list[Outgoing]:
        """The push, or what the faults make of it."""
        if self._mischief.strikes("delay", about):
            push = replace(push, due_at=push.due_at + timedelta(hours=self._mischief.faults.delay_h))
        elif self._mischief.strikes("reorder", about):
            push = replace(push, due_at=push.due_at + timedelta(hours=2))
        return [push, push] if self._mischief.strikes("duplicate", about) else [push]

    async def send_due(self, now: datetime) -> int:
        """Send what is due; returns how many were taken."""
        pushes = self._book.list_outgoing(now, limit=_SEND_MAX)
        if not pushes:
            return 0
        taken = await asyncio.gather(*(self._sent(push) for push in pushes))
        fates = list(zip(pushes, taken, strict=True))
        failed = [push for push, ok in fates if not ok]
        again = [later for push in failed if (later := self._again(push, now)) is not None]
        kept = {push.id for push in again}
        self._book.settle([push for push in pushes if push.id not in kept], again)
        self._book.count("pushes_taken", sum(taken))
        self._book.count("pushes_failed", len(failed))
        self._book.count("pushes_given_up", len(failed) - len(again))
        return sum(taken)

    async def _sent(self, push: Outgoing) -> bool:
        about = f"{push.id}"
        if self._mischief.strikes("drop", about):
            return False
        forged = push.attempt == 0 and self._mischief.strikes("bad_signature", about)
        reply = await self.send(push, forged=forged)
        return reply is not None and read_push_answer(reply)

    async def send(self, push: Outgoing, *, forged: bool = False) -> Reply | None:
        """One attempt; None when there was no answer at all, or the merchant has left."""
        customer = self._customers.get(push.merchant_id)
        if customer is None:
            return None
        body = seal_push(customer.merchant, push.push_type, push.data, forged=forged)
        headers = {"content-type": "application/x-www-form-urlencoded;charset=utf-8"}
        async with self._slots:
            try:
                answer = await self._client.post(customer.push_url, content=body, headers=headers)
            except httpx.HTTPError as error:
                log.info("push %d was not answered: %s", push.id, type(error).__name__)
                return None
        return Reply(answer.status_code, (), answer.content)

    def _again(self, push: Outgoing, now: datetime) -> Outgoing | None:
        """15 minutes, then 30, then silence until the next change."""
        waits = retry_after_min()
        if push.attempt >= len(waits):
            return None
        floor = self._clock.virtual(wall_s=self._settings.retry_floor_s)
        wait = max(timedelta(minutes=waits[push.attempt]), floor)
        return replace(push, attempt=push.attempt + 1, due_at=now + wait)


def _parts(items: Iterable[Subscription], size: int) -> Iterable[Sequence[Subscription]]:
    iterator = iter(items)
    while part := list(islice(iterator, size)):
        yield part
