"""The three panes put together for one viewer, and which ticket comes after another."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from waystream.core.person import Person
from waystream.kernel.tx import Tx
from waystream.parts.care import views
from waystream.parts.care.views import View
from waystream.web.auth import Seat
from waystream.web.context import context_of
from waystream.web.pages.orders.search import take_search
from waystream.web.pages.workbench import store
from waystream.web.pages.workbench.filters import Filters, want
from waystream.web.pages.workbench.offers import LABELS
from waystream.web.pages.workbench.queue import (
    TICKET_KEY,
    Drawn,
    QueueView,
    draw_queue,
    draw_rows,
    read_queue,
)
from waystream.web.pages.workbench.ticket import TicketView, Viewing, draw_ticket
from waystream.web.render import SAID_COOKIE, language_of, show
from waystream.web.shell.language import Language
from waystream.web.views import Option

QUEUE = "tickets"


@dataclass(frozen=True, slots=True)
class KeyHelp:
    keys: tuple[str, ...]
    does: str


@dataclass(frozen=True, slots=True)
class BenchPage:
    """`chosen`: the address names a ticket, so a phone shows it and not the queue; `missing`: it is not the caller's.

    `keep` opens the dialog that keeps the filters as a view, `forget` is the view they are.
    """

    name: str
    queue: QueueView
    ticket: TicketView | None
    chosen: bool
    missing: bool
    keys: tuple[KeyHelp, ...]
    undo: str
    views: tuple[Option, ...]
    keep: str
    forget: str


def show_bench(
    request: Request,
    seat: Seat,
    filters: Filters,
    *,
    undo: str = "",
    person: Person | None = None,
    begun: str = "",
    draft: str = "",
) -> Response:
    """The page; `person` is the open ticket's receiver in the clear, if the caller just asked for it."""
    context, language = context_of(request), language_of(request)
    queue, drawn = draw_pane(request, seat, filters, open_id=filters.ticket_id)
    open_id = filters.ticket_id or next(iter(drawn.ids), None)
    if open_id and not filters.ticket_id:
        queue = draw_queue(language, seat, filters, drawn, open_id=open_id)
    address = filters.address.with_(after=filters.after, t=str(open_id or ""))
    lookers = context.live.list_lookers().get(f"{TICKET_KEY}{open_id}", ())
    view = Viewing(seat, language, context.networks, address, lookers, person, begun, draft)
    with context.work.begin(shops=seat.shops, read_only=True) as tx:
        subject = store.find_subject(tx.conn, open_id, warehouses=seat.caller.warehouses) if open_id else None
        ticket = draw_ticket(tx, subject, view) if subject else None
        kept = views.list_views(tx, seat.caller.actor)
    page = BenchPage(
        name=language.say("Tickets"),
        queue=queue,
        ticket=ticket,
        chosen=bool(filters.ticket_id),
        missing=bool(open_id) and ticket is None,
        keys=_keys(language),
        undo=undo,
        **_views(filters, kept),
    )
    # A search follows nothing: drawing it again would use up the searches a person may make.
    keys = [*([] if filters.q else [QUEUE]), *(ticket.keys if ticket else ())]
    return show(request, "workbench/page.html", page, live=" ".join(keys[:30]))


def _views(filters: Filters, kept: Sequence[View]) -> dict[str, Any]:
    """The kept views as links; what can be kept or forgotten now."""
    query = str(filters.address).partition("?")[2]
    here = next((view for view in kept if view.filters == query), None)
    return {
        "views": tuple(Option(view.name, f"/workbench?{view.filters}", view is here) for view in kept),
        "keep": f"/workbench/ask?do=keep&back={quote(str(filters.address), safe='')}" if query and not here else "",
        "forget": str(here.id) if here else "",
    }


def draw_pane(request: Request, seat: Seat, filters: Filters, *, open_id: int | None) -> tuple[QueueView, Drawn]:
    context, language = context_of(request), language_of(request)
    if filters.q:
        take_search(context, seat)

    def read() -> Drawn:
        with context.work.begin(shops=seat.shops, read_only=True) as tx:
            return draw_rows(tx, seat, filters, language, context.live.list_lookers())

    position = getattr(request.state, "since", 0)
    drawn = read_queue(read, context, seat, filters, language, position=position, fresh=SAID_COOKIE in request.cookies)
    return draw_queue(language, seat, filters, drawn, open_id=open_id), drawn


def find_next(tx: Tx, seat: Seat, filters: Filters, language: Language, ticket_id: int) -> int | None:
    """The ticket after this one that is free for the caller, else the first of the queue."""
    wanted = replace(want(tx, seat, replace(filters, q="", after=""), language), free_for=seat.caller.actor)
    for after in (store.find_place(tx.conn, ticket_id), None):
        rows = store.list_queue(tx.conn, replace(wanted, after=after), limit=2)
        following = [row.id for row in rows if row.id != ticket_id]
        if following:
            return following[0]
    return None


def _keys(language: Language) -> tuple[KeyHelp, ...]:
    say = language.say
    moving = (
        KeyHelp(("J", "K"), say("next, previous ticket")),
        KeyHelp(("/",), say("find a ticket")),
        KeyHelp(("N",), say("note for colleagues")),
        KeyHelp(("V",), say("see the buyer in the clear")),
        KeyHelp(("Z",), say("undo the closing, for ten seconds")),
        KeyHelp(("⌘ ↵", "Ctrl ↵"), say("send, or keep the note")),
        KeyHelp(("⇧ ⌘ ↵", "Ctrl ⇧ ↵"), say("send, or keep the note, and close")),
        KeyHelp((".",), say("more")),
        KeyHelp(("?",), say("all keys")),
    )
    doing = tuple(KeyHelp((key.upper(),), say(label).removesuffix("…")) for key, label in LABELS.values())
    return (*moving[:2], *doing, *moving[2:])
