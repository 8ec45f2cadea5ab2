"""The sandbox's own handles under /sandbox, for tests and demonstrations: faults, fixed journeys, pushes by hand.

Not part of any carrier's wire. Bodies and answers are JSON; instants are ISO 8601 with a zone.
"""

import asyncio
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any

import msgspec
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from waystream.core.errors import Invalid, Missing
from waystream.integrations.kdniao.fake import Issued, Subscription, push_data
from waystream.sandbox.book import Outgoing, SandboxBook
from waystream.sandbox.faults import Mischief
from waystream.sandbox.pusher import Pusher
from waystream.sandbox.settings import SandboxSettings
from waystream.sandbox.world import Happening


class Event(msgspec.Struct, frozen=True):
    at: datetime
    code: str = ""
    text: str = ""
    location: str = ""
    gone_at: datetime | None = None


class Journey(msgspec.Struct, frozen=True):
    """The whole journey of a number (`add`: further events); `quiet`: told only by push-now."""

    number: str
    events: list[Event]
    add: bool = False
    quiet: bool = False


class PushOrder(msgspec.Struct, frozen=True):
    """One push, at once: the history of `numbers` as of `upto` (default: now), `times` over."""

    numbers: list[str]
    upto: datetime | None = None
    times: int = 1
    state_ex: str = ""
    push_type: str = ""
    forged: bool = False


class PushOrders(msgspec.Struct, frozen=True):
    """In the order given, one after another; `together`: all at once, over as many connections as the pusher has."""

    pushes: list[PushOrder]
    together: bool = False


class Admin:
    """The handlers, over the running sandbox's own objects."""

    def __init__(self, settings: SandboxSettings, *, book: SandboxBook, pusher: Pusher, mischief: Mischief) -> None:
        self._clock = settings.clock
        self._speed = settings.speed
        self._book = book
        self._pusher = pusher
        self._mischief = mischief
        self.router = APIRouter(prefix="/sandbox")
        for path, method, handler in (
            ("/state", "GET", self.state),
            ("/issued", "GET", self.issued),
            ("/messages", "GET", self.messages),
            ("/clock", "GET", self.clock),
            ("/faults", "PUT", self.set_faults),
            ("/journeys", "POST", self.set_journeys),
            ("/push-now", "POST", self.push_now),
        ):
            self.router.add_api_route(path, handler, methods=[method], response_model=None)

    async def state(self) -> JSONResponse:
        """How much of everything there is."""
        return JSONResponse(
            {
                "now": self._clock.now().isoformat(),
                "counts": dict(self._book.list_counts()),
                "faults": msgspec.to_builtins(self._mischief.faults),
            }
        )

    async def issued(self, order_code: str | None = None) -> JSONResponse:
        """Every number given out, in order; with `order_code` only that one's."""
        now = self._clock.now()
        return JSONResponse([self._issued(one, now) for one in self._book.list_issued(order_code)])

    def _issued(self, one: Issued, now: datetime) -> dict[str, Any]:
        return {
            "merchant_id": one.merchant_id,
            "order_code": one.order_code,
            "carrier": one.carrier,
            "number": one.number,
            "at": one.at.isoformat(),
            "cancelled": one.cancelled_at is not None,
            "collected": self._book.is_collected(one, now),
        }

    async def messages(self) -> JSONResponse:
        """Every letter that the shop's message port took, and how often it came."""
        return JSONResponse([asdict(heard) for heard in self._book.list_heard()])

    async def clock(self) -> JSONResponse:
        return JSONResponse({"now": self._clock.now().isoformat(), "speed": self._speed})

    async def set_faults(self, request: Request) -> JSONResponse:
        """Switch some rates; the others stay."""
        rates = _read(await request.body(), dict[str, float])
        self._mischief.faults = self._mischief.faults.switched(**rates)
        return JSONResponse(msgspec.to_builtins(self._mischief.faults))

    async def set_journeys(self, request: Request) -> JSONResponse:
        """Fix what happens to numbers (a list of journeys), or add to it: hand-over, delivery, anything."""
        journeys = _read(await request.body(), list[Journey])
        for journey in journeys:
            known = self._watched(journey.number)
            old = self._book.list_happenings(known.carrier, known.number) if journey.add else ()
            happenings = sorted((*old, *map(_happening, journey.events)), key=lambda one: one.at)
            self._book.fix_journey(known.carrier, known.number, happenings, now=self._clock.now(), quiet=journey.quiet)
        return JSONResponse({"journeys": len(journeys)})

    async def push_now(self, request: Request) -> JSONResponse:
        """Send pushes; answers with each one's HTTP status in the order given (0: no answer)."""
        orders = _read(await request.body(), PushOrders)
        sends = [self._send(order) for order in orders.pushes for _ in range(order.times)]
        statuses = await asyncio.gather(*sends) if orders.together else [await send for send in sends]
        return JSONResponse({"statuses": statuses})

    async def _send(self, order: PushOrder) -> int:
        reply = await self._pusher.send(self._push(order), forged=order.forged)
        return reply.status if reply else 0

    def _push(self, order: PushOrder) -> Outgoing:
        at = order.upto or self._clock.now()
        watched = [self._watched(number) for number in order.numbers]
        if not watched:
            raise Invalid("numbers", "a push needs at least one number")
        merchant_id, push_type = watched[0].merchant_id, order.push_type or watched[0].push_type
        news = [self._pusher.news(one, at) for one in watched]
        if order.state_ex:
            news = [replace(one, state_ex=order.state_ex) for one in news]
        return Outgoing(merchant_id, push_type, push_data(merchant_id, push_type, news, at=at), due_at=at)

    def _watched(self, number: str) -> Subscription:
        found = self._book.find_subscription(number)
        if found is None:
            raise Missing(f"nobody watches the number {number}")
        return found


def _happening(event: Event) -> Happening:
    gone_at = event.gone_at.astimezone(UTC) if event.gone_at else None
    return Happening(event.at.astimezone(UTC), event.code, event.text, event.location, gone_at)


def _read(body: bytes, kind: Any) -> Any:
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.MsgspecError as error:
        raise Invalid(None, str(error)) from error
