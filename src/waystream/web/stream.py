"""`GET /live?keys=…`: the server-sent events of `live`, as one stream for a whole browser."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Header, Query
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import StreamingResponse

from waystream.core.errors import Invalid
from waystream.web.auth import SIGNED_IN, Seat, requires
from waystream.web.context import WebContext, context_of
from waystream.web.live import LOOKED_AT, Live, Told, Watch
from waystream.web.reach import tickets_within_reach
from waystream.web.wire import MAX_ID

KEYS_AT_MOST = 40
APART_S = 1.0
QUIET_S = 15.0
RETRY_MS = 3_000
LIFE_S = 60.0

router = APIRouter()


@router.get("/live", include_in_schema=False)
async def stream_changes(
    request: Request,
    seat: Annotated[Seat, requires(SIGNED_IN)],
    keys: Annotated[str, Query(max_length=2_000)],
    since: str = "",
    last_event_id: Annotated[str, Header()] = "",
) -> StreamingResponse:
    wanted = frozenset(filter(None, keys.split(",")))
    if len(wanted) > KEYS_AT_MOST:
        raise Invalid("keys", f"a stream watches at most {KEYS_AT_MOST} keys")
    context, live = context_of(request), context_of(request).live
    wanted = await run_in_threadpool(_within_reach, context, seat, wanted)
    loop = asyncio.get_running_loop()
    position = _position(last_event_id or since)
    actor, name = seat.caller.actor, seat.caller.name
    watch = await run_in_threadpool(
        live.watch, keys=wanted, shops=seat.shops, since=position, loop=loop, actor=actor, name=name
    )
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(tell(live, watch), headers=headers, media_type="text/event-stream")


def _within_reach(context: WebContext, seat: Seat, keys: frozenset[str]) -> frozenset[str]:
    """Who looks at a ticket is told to others: only those who may see it look at it."""
    numbers = {key: int(key.removeprefix(LOOKED_AT)) for key in keys if _is_ticket(key)}
    others = frozenset(key for key in keys if not key.startswith(LOOKED_AT))
    if not numbers or not seat.caller.may("tickets:read"):
        return others
    with context.work.begin(shops=seat.shops, read_only=True) as tx:
        seen = tickets_within_reach(tx, seat, numbers.values())
    return others | {key for key, number in numbers.items() if number in seen}


def _is_ticket(key: str) -> bool:
    number = key.removeprefix(LOOKED_AT)
    return key.startswith(LOOKED_AT) and number.isascii() and number.isdigit() and int(number) <= MAX_ID


async def tell(
    live: Live, watch: Watch, *, apart_s: float = APART_S, quiet_s: float = QUIET_S, life_s: float = LIFE_S
) -> AsyncIterator[bytes]:
    """Bytes of the stream until the reader leaves or the server stops; at most one message in `apart_s`.

    It ends after `life_s` whatever happens: the browser comes again by itself, and who may see what is asked anew.
    """
    ends = time.monotonic() + life_s
    try:
        yield f"retry: {RETRY_MS}\nid: {live.position}\nevent: hello\ndata: {{}}\n\n".encode()
        while live.is_open(watch) and time.monotonic() < ends:
            woken = await _wait(watch, quiet_s)
            if not live.is_open(watch):
                return
            yield write_told(watch.take(live.position)) if woken else b": still here\n\n"
            await asyncio.sleep(apart_s)
    finally:
        live.leave(watch)


def write_told(told: Told) -> bytes:
    return f"id: {told.position}\nevent: changed\ndata: {json.dumps(told.keys)}\n\n".encode()


async def _wait(watch: Watch, quiet_s: float) -> bool:
    try:
        await asyncio.wait_for(watch.woken.wait(), quiet_s)
    except TimeoutError:
        return False
    watch.woken.clear()
    return True


def _position(text: str) -> int | None:
    return int(text) if text.isdecimal() and len(text) < 20 else None
