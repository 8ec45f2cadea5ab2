"""GET /notices: what buyers were told, what waits, what was not said and why; newest first."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from waystream.kernel.tx import Tx
from waystream.parts.notices import reading, store_lists
from waystream.parts.notices.kinds import load_kinds
from waystream.parts.notices.model import day_begins
from waystream.parts.notices.store_lists import Counts, Filters, NoticeRow
from waystream.parts.shops import actions as shops
from waystream.web.auth import Seat, requires
from waystream.web.context import context_of
from waystream.web.navigation import Entry
from waystream.web.pages.notices import notice, policy, templates
from waystream.web.pages.notices.notice import READ, title_of, view_state, view_why
from waystream.web.render import language_of, show
from waystream.web.shell.language import N_, Language, Moment
from waystream.web.shell.vocabulary import Pill
from waystream.web.views import PAGE_ROWS, Address, Menu, Option, Tab

NAV = (Entry(45, "rail", "/notices", "phone", N_("Messages"), READ, on_phone=False),)
BACK = "/notices"
ID_MAX_DIGITS = 19

router = APIRouter()
router.include_router(templates.router)
router.include_router(policy.router)
router.include_router(notice.router)


@dataclass(frozen=True, slots=True)
class Line:
    id: int
    order: str
    order_href: str
    kind: str
    name: str
    to: str
    channel: str
    state: Pill
    why: str
    at: Moment | None
    by_person: bool
    test: bool


@dataclass(frozen=True, slots=True)
class NoticesPage:
    answer: Markup
    tabs: tuple[Tab, ...]
    menus: tuple[Menu, ...]
    lines: tuple[Line, ...]
    first: str
    next: str
    may_write: bool


@router.get("/notices")
def show_notices(
    request: Request,
    seat: Annotated[Seat, requires(READ)],
    state: Annotated[str, Query(max_length=20)] = "",
    kind: Annotated[str, Query(max_length=64)] = "",
    channel: Annotated[str, Query(max_length=64)] = "",
    order: Annotated[str, Query(max_length=ID_MAX_DIGITS, pattern="^[0-9]*$")] = "",
    after: Annotated[str, Query(max_length=ID_MAX_DIGITS, pattern="^[0-9]*$")] = "",
) -> Response:
    address = Address(
        BACK, {"state": state if state in STATES else "", "kind": kind, "channel": channel, "order": order}
    )
    with context_of(request).work.begin(shops=seat.shops, read_only=True) as tx:
        page = draw(tx, seat, language_of(request), address, after)
    return show(request, "notices/page.html", page, live="orders")


def draw(tx: Tx, seat: Seat, language: Language, address: Address, after: str) -> NoticesPage:
    chosen = address.filters
    doubted = chosen["state"] == DOUBT
    filters = Filters(
        state="" if doubted else chosen["state"],
        kind=chosen["kind"],
        channel=chosen["channel"],
        order_id=int(chosen["order"] or 0),
        doubted=doubted,
        warehouses=seat.caller.warehouses,
    )
    rows = reading.list_notices(tx, filters, before=int(after) if after else None, limit=PAGE_ROWS + 1)
    shown = rows[:PAGE_ROWS]
    since = day_begins(tx.now, language.zone)
    return NoticesPage(
        answer=_answer(language, reading.count_today(tx, since=since, warehouses=seat.caller.warehouses)),
        tabs=_tabs(language, address),
        menus=_menus(tx, language, address, shown),
        lines=tuple(_line(language, row, tx.now) for row in shown),
        first=address.but() if after else "",
        next=address.but(after=str(shown[-1].id)) if len(rows) > PAGE_ROWS else "",
        may_write=seat.caller.may("notices:write"),
    )


def _answer(language: Language, counts: Counts) -> Markup:
    facts = {name: language.number(getattr(counts, name)) for name in ("told", "arrived", "planned", "dropped")}
    if counts.doubted:
        return language.say_n(
            '<a href="/notices?state=doubt">%(n)s message</a> is in doubt: nobody knows whether the buyer got it.',
            '<a href="/notices?state=doubt">%(n)s messages</a> are in doubt: nobody knows whether buyers got them.',
            counts.doubted,
        )
    if counts.refused:
        return language.say_n(
            'Told today: %(told)s; <a href="/notices?state=refused">%(n)s message</a> did not get through.',
            'Told today: %(told)s; <a href="/notices?state=refused">%(n)s messages</a> did not get through.',
            counts.refused,
            **facts,
        )
    if not counts.told and not counts.planned and not counts.dropped:
        return language.say("No buyer was told anything today.")
    return language.say(
        'Told today: %(told)s; <a href="/notices?state=planned">waiting: %(planned)s</a>; '
        '<a href="/notices?state=dropped">not needed any more: %(dropped)s</a>.',
        **facts,
    )


DOUBT = "doubt"
STATES = {
    "": N_("All"),
    "planned": N_("Waits"),
    "handed": N_("Sent"),
    "delivered": N_("Arrived"),
    "refused": N_("Did not get through"),
    "dropped": N_("Not said"),
    DOUBT: N_("In doubt"),
}


def _tabs(language: Language, address: Address) -> tuple[Tab, ...]:
    here = address.filters["state"]
    return tuple(Tab(language.say(word), address.but(state=state), state == here) for state, word in STATES.items())


def _menus(tx: Tx, language: Language, address: Address, shown: list[NoticeRow]) -> tuple[Menu, ...]:
    chosen = address.filters
    kinds = tuple(Option(kind.title[language.code], address.but(kind=name)) for name, kind in load_kinds().items())
    names = store_lists.list_channels(tx.conn, [shop.id for shop in shops.list_shops(tx)])
    channels = tuple(Option(name, address.but(channel=name)) for name in names)
    menus = [
        Menu(
            language.say("Kind"),
            kinds,
            title_of(language, chosen["kind"]) if chosen["kind"] else "",
            address.but(kind=""),
        )
    ]
    if channels:
        menus.append(Menu(language.say("Channel"), channels, chosen["channel"], address.but(channel="")))
    if chosen["order"]:
        number = shown[0].order if shown else chosen["order"]
        menus.append(Menu(language.say("Order"), (), number, address.but(order="")))
    return tuple(menus)


def _line(language: Language, row: NoticeRow, now: datetime) -> Line:
    return Line(
        id=row.id,
        order=row.order,
        order_href=f"/orders/{row.order_id}",
        kind=title_of(language, row.kind),
        name=row.name_mask,
        to=row.to_mask,
        channel=row.channel,
        state=view_state(language, row),
        why=view_why(language, row.why),
        at=language.when(row.ended_at or row.handed_at or row.planned_at, now),
        by_person=row.actor != "",
        test=row.test,
    )
