"""GET /workbench: the queue, one ticket, its buyer and order; GET /workbench/queue: the queue alone, for itself.

Everything that narrows the queue stands in the address, so it can be sent to a colleague; `t` is the open ticket.
"""

from typing import Annotated

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from waystream.web.auth import Seat, requires
from waystream.web.context import WebContext
from waystream.web.navigation import Entry
from waystream.web.pages.workbench import asks, carrier, deeds, evidence, saying
from waystream.web.pages.workbench.bench import draw_pane, show_bench
from waystream.web.pages.workbench.filters import Asked
from waystream.web.pages.workbench.queue import count_open
from waystream.web.render import show
from waystream.web.shell.language import N_

READ = "tickets:read"


def _count(context: WebContext, seat: Seat, position: int) -> int:
    return count_open(context, seat, position=position)


NAV = (Entry(15, "rail", "/workbench", "tickets", N_("Tickets"), READ, count=_count),)

router = APIRouter()
router.include_router(asks.router)
router.include_router(deeds.router)
router.include_router(carrier.router)
router.include_router(saying.router)
router.include_router(evidence.router)


@router.get("/workbench")
def show_workbench(
    request: Request, seat: Annotated[Seat, requires(READ)], filters: Asked, undo: str = "", say: str = ""
) -> Response:
    """`undo`: the ticket that was just closed; `say`: the words a message begins with."""
    return show_bench(request, seat, filters, undo=undo if undo.isdecimal() else "", begun=say)


@router.get("/workbench/queue")
def show_queue(request: Request, seat: Annotated[Seat, requires(READ)], filters: Asked) -> Response:
    """What the queue asks for again when something changed."""
    queue, _ = draw_pane(request, seat, filters, open_id=filters.ticket_id)
    return show(request, "workbench/queue.html", queue)
