"""GET /deadlines: what is due soon and what was missed, the first due first. GET /deadlines.csv: the same as a file."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from waystream.core.deadline import DeadlineKind
from waystream.kernel.tx import Tx
from waystream.parts.deadlines import lists
from waystream.parts.deadlines.lists import COUNTED_AT_MOST, Count, Row, Wanted
from waystream.web.auth import Seat, requires
from waystream.web.context import WebContext, context_of
from waystream.web.cursor import read_cursor, write_cursor
from waystream.web.navigation import Entry
from waystream.web.pages.deadlines import settings
from waystream.web.pages.deadlines.answer import say_answer
from waystream.web.pages.deadlines.sheet import write_sheet
from waystream.web.pages.deadlines.words import DOUBTFUL, KINDS, STANDS, WITHIN, reason_of
from waystream.web.pages.orders import store as orders
from waystream.web.render import language_of, show
from waystream.web.shell.language import N_, Language, Moment
from waystream.web.shell.vocabulary import Pill, carrier_name
from waystream.web.views import PAGE_ROWS, Address, Menu, Option, Tab

READ = "parcels:read"
NAV = (Entry(33, "rail", "/deadlines", "clock", N_("Deadlines"), READ, on_phone=False),)
BATCH_ROWS = 1_000

router = APIRouter()
router.include_router(settings.router)


@dataclass(frozen=True, slots=True)
class Line:
    href: str
    number: str
    waybill: str
    carrier: str
    stand: Pill
    why: str
    due: Moment | None
    since: Moment | None
    shop: str
    warehouse: str
    latest: str


@dataclass(frozen=True, slots=True)
class DeadlinesPage:
    answer: Markup
    tabs: tuple[Tab, ...]
    menus: tuple[Menu, ...]
    lines: tuple[Line, ...]
    told: str
    first: str
    next: str
    file: str


@dataclass(frozen=True, slots=True)
class Filters:
    """The filters of the address, parsed; what is not known is as if it were not there."""

    kind: DeadlineKind = DeadlineKind.SHIP_BY
    stand: str = ""
    within: str = ""
    shop: str = ""
    after: str = ""

    @property
    def address(self) -> Address:
        kind = "" if self.kind is DeadlineKind.SHIP_BY else self.kind.value
        return Address("/deadlines", {"kind": kind, "stand": self.stand, "within": self.within, "shop": self.shop})


def read_filters(
    kind: str = "",
    stand: str = "",
    within: str = "",
    shop: Annotated[str, Query(max_length=19)] = "",
    after: Annotated[str, Query(max_length=60)] = "",
) -> Filters:
    return Filters(
        kind=DeadlineKind(kind) if kind in set(DeadlineKind) else DeadlineKind.SHIP_BY,
        stand=stand if stand in STANDS else "",
        within=within if within in WITHIN else "",
        shop=shop if shop.isdecimal() and int(shop) < 2**63 else "",
        after=after,
    )


Asked = Annotated[Filters, Depends(read_filters)]


@router.get("/deadlines")
def list_deadlines(request: Request, seat: Annotated[Seat, requires(READ)], filters: Asked) -> Response:
    with context_of(request).work.begin(shops=seat.shops, read_only=True) as tx:
        page = draw(tx, seat, filters, language_of(request))
    return show(request, "deadlines/page.html", page, live="overview")


@router.get("/deadlines.csv")
def download(request: Request, seat: Annotated[Seat, requires(READ)], filters: Asked) -> Response:
    """The list from its beginning, written while it is read."""
    context, language = context_of(request), language_of(request)
    with context.work.begin(shops=seat.shops, read_only=True) as tx:
        wanted, today = replace(_wanted(tx, seat, filters, language), after=None), tx.now.astimezone(language.zone)
    sheet = write_sheet(language, _batches(context, seat, wanted))
    name = f"deadlines-{filters.kind}-{today:%Y-%m-%d}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "private, no-store"}
    return StreamingResponse(sheet, media_type="text/csv; charset=utf-8", headers=headers)


def _batches(context: WebContext, seat: Seat, wanted: Wanted) -> Iterator[list[Row]]:
    """Each batch in a transaction of its own: a slow reader holds no connection."""
    after: tuple[datetime, int] | None = None
    while True:
        with context.work.begin(shops=seat.shops, read_only=True) as tx:
            rows = lists.list_deadlines(tx, replace(wanted, after=after), limit=BATCH_ROWS)
        if rows:
            yield rows
        if len(rows) < BATCH_ROWS:
            return
        after = (rows[-1].due_at, rows[-1].subject_id)


def draw(tx: Tx, seat: Seat, filters: Filters, language: Language) -> DeadlinesPage:
    """The page for a caller, from what the transaction may see."""
    wanted = _wanted(tx, seat, filters, language)
    rows = lists.list_deadlines(tx, wanted, limit=PAGE_ROWS + 1)
    until = _until(filters, tx.now, language)
    counts = lists.count_deadlines(tx, until=until, shop_id=wanted.shop_id, warehouses=wanted.warehouses)
    shown, address = rows[:PAGE_ROWS], filters.address
    return DeadlinesPage(
        answer=say_answer(language, counts[filters.kind], until=until, now=tx.now, address=address),
        tabs=_tabs(language, counts, filters),
        menus=_menus(tx, seat, filters, language),
        lines=tuple(_line(language, row, tx.now) for row in shown),
        told=language.say_n("%(n)s deadline, the first due first", "%(n)s deadlines, the first due first", len(shown)),
        first=address.but() if filters.after else "",
        next=address.but(after=write_cursor(shown[-1].due_at, shown[-1].subject_id)) if len(rows) > PAGE_ROWS else "",
        file=replace(address, path="/deadlines.csv").but(),
    )


def _wanted(tx: Tx, seat: Seat, filters: Filters, language: Language) -> Wanted:
    return Wanted(
        kind=filters.kind,
        open=filters.stand != "missed" and filters.kind is not DeadlineKind.VERIFICATION,
        missed=filters.stand != "open",
        until=_until(filters, tx.now, language),
        shop_id=int(filters.shop) if filters.shop else None,
        warehouses=tuple(sorted(seat.caller.warehouses)) if seat.caller.warehouses is not None else None,
        after=read_cursor(filters.after),
    )


def _until(filters: Filters, now: datetime, language: Language) -> datetime | None:
    """Before when what is open is due: the end of today, so many hours from now, or whenever."""
    if filters.within == "any":
        return None
    if filters.within:
        return now + timedelta(hours=int(filters.within))
    midnight = now.astimezone(language.zone).replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + timedelta(days=1)


def _tabs(language: Language, counts: dict[str, Count], filters: Filters) -> tuple[Tab, ...]:
    return tuple(
        Tab(
            language.say(label),
            filters.address.but(kind="" if kind is DeadlineKind.SHIP_BY else kind.value, stand=""),
            kind is filters.kind,
            tell(language, _count(counts[kind])),
        )
        for kind, label in KINDS.items()
    )


def _count(count: Count) -> int:
    """Deliveries that are still to be looked at are nobody's business."""
    return count.missed if count.kind == DeadlineKind.VERIFICATION else count.due + count.missed


def tell(language: Language, count: int) -> str:
    """A bounded count: `1,000+` where it stopped counting."""
    return language.number(count) + ("+" if count >= COUNTED_AT_MOST else "")


def _menus(tx: Tx, seat: Seat, filters: Filters, language: Language) -> tuple[Menu, ...]:
    shops = [(str(each.id), each.name) for each in orders.list_shops(tx.conn) if each.id in seat.shops]
    stands = [(stand, str(language.say(label))) for stand, label in STANDS.items()]
    within = [(each, str(language.say(label))) for each, label in WITHIN.items()]
    named = [("shop", language.say("Shop"), shops)] if len(shops) > 1 or filters.shop else []
    if filters.kind is not DeadlineKind.VERIFICATION:
        named = [("stand", language.say("State"), stands), ("within", language.say("Due"), within), *named]
    return tuple(_menu(filters, name, label, options) for name, label, options in named)


def _menu(filters: Filters, name: str, label: str, options: list[tuple[str, str]]) -> Menu:
    chosen, address = getattr(filters, name), filters.address
    return Menu(
        label=label,
        options=tuple(Option(text, address.but(**{name: value}), value == chosen) for value, text in options),
        chosen=dict(options).get(chosen, chosen) if chosen else "",
        clear=address.but(**{name: ""}),
    )


def _line(language: Language, row: Row, now: datetime) -> Line:
    at = f"#parcel-{row.parcel_id}" if row.parcel_id else ""
    late = row.stand == "missed" or row.due_at <= now
    shape, word = ("s-exception", STANDS["missed"]) if late else ("s-await", STANDS["open"])
    if row.kind == DeadlineKind.VERIFICATION:
        word = DOUBTFUL
    return Line(
        href=f"/orders/{row.order_id}{at}" if row.order_id else "",
        number=row.number,
        waybill=row.waybill,
        carrier=carrier_name(language, row.carrier) if row.carrier else "",
        stand=Pill(shape, language.say(word)),
        why=reason_of(language, row.doubts),
        due=language.when(row.due_at, now),
        since=language.when(row.since, now),
        shop=row.shop,
        warehouse=row.warehouse,
        latest=row.latest,
    )
