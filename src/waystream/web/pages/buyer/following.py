"""GET /t/TOKEN/live: an open page hears when its order or one of its parcels changed, and asks for itself again.

One subscription stands for all pages of an order, and costs nothing while nothing happens. What a page missed between
being drawn and listening is one look at the newest event of its order, not a read of the log.
"""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import StreamingResponse

from waystream.parts.buyer import store
from waystream.web import live as living
from waystream.web.context import WebContext, context_of
from waystream.web.live import Watch
from waystream.web.pages.buyer.door import Visit, Visiting
from waystream.web.stream import tell

QUIET_S = 25.0
LIFE_S = 600.0

router = APIRouter()


@router.get("/t/{token}/live")
async def follow(
    request: Request, visit: Visiting, mark: Annotated[str, Query(max_length=20)] = ""
) -> StreamingResponse:
    """`mark` is what the page knows already."""
    context, loop = context_of(request), asyncio.get_running_loop()
    watch = await run_in_threadpool(_open, context, visit, mark, loop)
    stream = tell(context.live, watch, quiet_s=QUIET_S, life_s=LIFE_S)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(stream, headers=headers, media_type="text/event-stream")


def _open(context: WebContext, visit: Visit, mark: str, loop: asyncio.AbstractEventLoop) -> Watch:
    """Listen first, then look: what happens in between is told, never lost."""
    order_id = visit.link.order_id
    with context.work.begin(shops=visit.shops, read_only=True) as tx:
        parcels = store.list_parcel_ids(tx.conn, order_id)
    keys = frozenset({f"order:{order_id}", *(f"parcel:{parcel_id}" for parcel_id in parcels)})
    watch = context.live.watch(
        keys=keys, shops=visit.shops, since=None, loop=loop, actor=f"link:{order_id}", place=living.BUYERS
    )
    with context.work.begin(shops=visit.shops, read_only=True) as tx:
        newest = store.find_mark(tx.conn, order_id)
    if mark != str(newest):
        watch.touch({f"order:{order_id}"})
    return watch
