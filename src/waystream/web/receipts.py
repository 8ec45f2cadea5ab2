"""Where the other side of a channel tells what became of letters: `POST /receipts/CHANNEL/MARK`.

Guaranteed: nothing is read unless the address is the channel's own, which nobody can guess; what is told becomes
events in one transaction and is answered after it; whatever is answered otherwise is sent again.
"""

from typing import Annotated

from fastapi import APIRouter, Path
from fastapi.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from waystream.core.errors import Missing, TooLarge
from waystream.core.ports import Reply
from waystream.kernel.tx import Tx
from waystream.parts.channels import actions as channels
from waystream.web.auth import open_to_all
from waystream.web.context import WebContext, context_of
from waystream.web.wire import MAX_ID

BODY_MAX_BYTES = 1024 * 1024
MARK_MAX_CHARS = 64
UNSIGNED = 401

router = APIRouter()


@router.post("/receipts/{channel_id}/{mark}", dependencies=[open_to_all()], include_in_schema=False)
async def receive(
    request: Request,
    channel_id: Annotated[int, Path(ge=1, le=MAX_ID)],
    mark: Annotated[str, Path(max_length=MARK_MAX_CHARS)],
) -> Response:
    body = await _read_body(request)
    reply = await run_in_threadpool(_take, context_of(request), channel_id, mark, body)
    return Response(reply.body, reply.status, dict(reply.headers))


async def _read_body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_MAX_BYTES:
            raise TooLarge(f"Receipts may have {BODY_MAX_BYTES} bytes")
    return bytes(body)


def _take(context: WebContext, channel_id: int, mark: str, body: bytes) -> Reply:
    now = context.machine.clock.machine_now()

    def work(tx: Tx) -> Reply:
        channel = channels.find_reporting(tx, channel_id, mark)
        gateway = channels.find_reporting_gateway(context.gateways, channel)
        if channel is None or gateway is None:
            raise Missing("There is nothing here.")
        values = channels.open_values(tx, channel_id)
        reports = gateway.read_report(values, body)
        if reports is None:
            return Reply(UNSIGNED)
        channels.take_reports(tx, channel, reports)
        return gateway.answer_report(values, accepted=True, now=now)

    return context.machine.run(work)
