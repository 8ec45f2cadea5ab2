"""What machines ask: alive, ready, and figures in the Prometheus text format."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from waystream.core.errors import Unavailable
from waystream.kernel.figures import CONTENT_TYPE
from waystream.web.auth import open_to_all
from waystream.web.context import context_of

router = APIRouter(include_in_schema=False, dependencies=[open_to_all()])


@router.get("/healthz", response_class=PlainTextResponse)
def answer_alive() -> str:
    return "alive\n"


@router.get("/readyz", response_class=PlainTextResponse)
def answer_ready(request: Request) -> str:
    """200 when the database answers and streams are served; `Unavailable` otherwise."""
    context = context_of(request)
    if context.live.closed:
        raise Unavailable("The server is stopping", retry_after_s=5)
    with context.machine.begin(read_only=True) as tx:
        tx.conn.execute("SELECT 1")
    return "ready\n"


@router.get("/metrics")
def list_metrics(request: Request) -> Response:
    return Response(context_of(request).figures.render(), media_type=CONTENT_TYPE)
