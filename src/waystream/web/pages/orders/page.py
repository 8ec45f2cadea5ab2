"""GET /orders: which orders there are, by word, view, shop, warehouse, carrier or search; newest change first.

GET /orders.csv: the same list as a file.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from waystream.core.order import Word
from waystream.kernel.tx import Tx
from waystream.web.auth import Seat, requires
from waystream.web.context import WebContext, context_of
from waystream.web.cursor import read_cursor, write_cursor
from waystream.web.navigation import Entry
from waystream.web.pages.orders import deeds, store
from waystream.web.pages.orders.search import MASKED, find_orders, take_search
from waystream.web.pages.orders.sheet import write_sheet
from waystream.web.pages.parcels.store import TROUBLE_STAGES
from waystream.web.render import language_of, show
from waystream.web.shell.language import N_, Language, Moment
from waystream.web.shell.vocabulary import ORDER_WORDS, Pill, carrier_name, order_pill, order_word, pill
from waystream.web.views import PAGE_ROWS, Address, Menu, Option, Tab

READ = "orders:read"
NAV = (Entry(20, "rail", "/orders", "orders", N_("Orders"), READ),)

router = APIRouter()
router.include_router(deeds.router)

BATCH_ROWS = 1_000
VIEWS = {"trouble": N_("With a problem"), "late": N_("Likely late"), "held": N_("On hold")}


@dataclass(frozen=True, slots=True)
class OrderRow:
    id: int
    number: str
    shop: str
    state: Pill
    latest: str
    moved: Moment | None
    promised: str
    carrier: str
    waybill: str
    more: int
    receiver: str
    place: str
    total: str


@dataclass(frozen=True, slots=True)
class OrdersPage:
    answer: Markup
    tabs: tuple[Tab, ...]
    menus: tuple[Menu, ...]
    rows: tuple[OrderRow, ...]
    told: str
    first: str
    next: str
    searched: str
    clear_search: str
    file: str
    may_write: bool
    empty: bool


@dataclass(frozen=True, slots=True)
class Filters:
    """The filters of the address, parsed; what is not known is as if it were not there."""

    word: str = ""
    view: str = ""
    shop: str = ""
    warehouse: str = ""
    carrier: str = ""
    q: str = ""
    after: str = ""

    @property
    def address(self) -> Address:
        named = ("word", "view", "shop", "warehouse", "carrier", "q")
        return Address("/orders", {name: getattr(self, name) for name in named})


def read_filters(
    word: str = "",
    view: str = "",
    shop: Annotated[str, Query(max_length=19)] = "",
    warehouse: Annotated[str, Query(max_length=19)] = "",
    carrier: Annotated[str, Query(max_length=20)] = "",
    q: Annotated[str, Query(max_length=100)] = "",
    after: Annotated[str, Query(max_length=60)] = "",
) -> Filters:
    return Filters(
        word=word if word in set(Word) else "",
        view=view if view in VIEWS else "",
        shop=shop if shop.isdecimal() else "",
        warehouse=warehouse if warehouse.isdecimal() else "",
        carrier=carrier,
        q=q.strip(),
        after=after,
    )


Asked = Annotated[Filters, Depends(read_filters)]


@router.get("/orders")
def list_orders(request: Request, seat: Annotated[Seat, requires(READ)], filters: Asked) -> Response:
    context = context_of(request)
    if filters.q:
        take_search(context, seat)
    with context.work.begin(shops=seat.shops, read_only=True) as tx:
        page = draw(tx, seat, filters, language_of(request))
    # A page that draws itself again by itself would use up the searches a person may make.
    return show(request, "orders/page.html", page, live="" if filters.q else "orders")


@router.get("/orders.csv")
def download(request: Request, seat: Annotated[Seat, requires(READ)], filters: Asked) -> Response:
    """The list from its beginning, written while it is read."""
    context, language = context_of(request), language_of(request)
    if filters.q:
        take_search(context, seat)
    with context.work.begin(shops=seat.shops, read_only=True) as tx:
        wanted, today = replace(_wanted(tx, seat, filters), before=None), tx.now.astimezone(language.zone)
    sheet = write_sheet(
        language,
        _batches(context, seat, wanted),
        state=lambda row: _state(language, row).word,
        masked=seat.caller.may(MASKED),
    )
    name = f"orders-{today:%Y-%m-%d}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "private, no-store"}
    return StreamingResponse(sheet, media_type="text/csv; charset=utf-8", headers=headers)


def _batches(context: WebContext, seat: Seat, wanted: store.Wanted) -> Iterator[list[store.Row]]:
    """Each batch in a transaction of its own: a slow reader holds no connection. An order that moves while the file is
    written goes to the front of the list, so it may be missing from the file."""
    before: tuple[datetime, int] | None = None
    while True:
        with context.work.begin(shops=seat.shops, read_only=True) as tx:
            rows = store.list_orders(tx.conn, replace(wanted, before=before), limit=BATCH_ROWS)
        if rows:
            yield rows
        if len(rows) < BATCH_ROWS:
            return
        before = (rows[-1].moved_at, rows[-1].id)


def draw(tx: Tx, seat: Seat, filters: Filters, language: Language) -> OrdersPage:
    """The page for a caller, from what the transaction may see."""
    wanted = _wanted(tx, seat, filters)
    rows = store.list_orders(tx.conn, wanted, limit=PAGE_ROWS + 1)
    counts = store.count_orders(tx.conn, wanted)
    shown, address = rows[:PAGE_ROWS], filters.address
    return OrdersPage(
        answer=_answer(language, counts, found=len(rows) if filters.q else None),
        tabs=_tabs(language, counts, filters),
        menus=_menus(tx, seat, filters, language),
        rows=tuple(_row(language, row, tx.now, masked=seat.caller.may(MASKED)) for row in shown),
        told=language.say_n("%(n)s order, by latest change", "%(n)s orders, by latest change", len(shown)),
        first=address.but() if filters.after else "",
        next=address.but(after=write_cursor(shown[-1].moved_at, shown[-1].id)) if len(rows) > PAGE_ROWS else "",
        searched=filters.q,
        clear_search=address.but(q=""),
        file=replace(address, path="/orders.csv").but(),
        may_write=seat.caller.may("orders:write"),
        empty=counts.all == 0,
    )


def _wanted(tx: Tx, seat: Seat, filters: Filters) -> store.Wanted:
    return store.Wanted(
        now=tx.now,
        word=filters.word,
        view=filters.view,
        shop_id=int(filters.shop) if filters.shop else None,
        warehouse_id=int(filters.warehouse) if filters.warehouse else None,
        carrier=filters.carrier,
        found=find_orders(tx, seat, filters.q) if filters.q else None,
        warehouses=tuple(seat.caller.warehouses) if seat.caller.warehouses is not None else None,
        before=read_cursor(filters.after),
    )


def _answer(language: Language, counts: store.Counts, *, found: int | None) -> Markup:
    facts = {
        "open": language.number(counts.open),
        "trouble": language.number(counts.trouble),
        "late": language.number(counts.late),
    }
    if found is not None:
        return language.say_n("%(n)s order was found.", "%(n)s orders were found.", found)
    if counts.all == 0:
        return language.say("There are no orders yet.")
    if counts.open == 0:
        return language.say("Every order has arrived; nothing is under way.")
    if counts.trouble and counts.late:
        return language.say(
            '%(open)s under way or to ship, <a href="/orders?view=trouble">%(trouble)s with a problem</a>, '
            '<a href="/orders?view=late">%(late)s likely late</a>.',
            **facts,
        )
    if counts.trouble:
        return language.say(
            "%(open)s under way or to ship, "
            '<a href="/orders?view=trouble">%(trouble)s with a problem</a>; none is late.',
            **facts,
        )
    if counts.late:
        return language.say(
            '%(open)s under way or to ship without a problem, <a href="/orders?view=late">%(late)s likely late</a>.',
            **facts,
        )
    return language.say("%(open)s under way or to ship, all without a problem.", **facts)


def _tabs(language: Language, counts: store.Counts, filters: Filters) -> tuple[Tab, ...]:
    address = filters.address
    chosen = bool(filters.word or filters.view)
    everything = Tab(language.say("All"), address.but(word="", view=""), not chosen, language.number(counts.all))
    words = [
        Tab(
            order_word(language, word),
            address.but(word=word, view=""),
            filters.word == word,
            language.number(counts.words.get(word, 0)),
        )
        for word in ORDER_WORDS
    ]
    amounts = {"trouble": counts.trouble, "late": counts.late, "held": counts.held}
    views = [
        Tab(language.say(label), address.but(view=view, word=""), filters.view == view, tell(language, amounts[view]))
        for view, label in VIEWS.items()
        if amounts[view] or filters.view == view
    ]
    return (everything, *words, *views)


def tell(language: Language, count: int) -> str:
    """A bounded count: `1,000+` where it stopped counting."""
    more = "+" if count >= store.COUNTED_AT_MOST else ""
    return language.number(count) + more


def _menus(tx: Tx, seat: Seat, filters: Filters, language: Language) -> tuple[Menu, ...]:
    shops = [each for each in store.list_shops(tx.conn) if each.id in seat.shops]
    carriers = [(code, carrier_name(language, code)) for code in store.list_carriers(tx.conn)]
    named = (
        ("shop", language.say("Shop"), [(str(shop.id), shop.name) for shop in shops]),
        ("warehouse", language.say("Warehouse"), [(str(w.id), w.name) for w in store.list_warehouses(tx.conn)]),
        ("carrier", language.say("Carrier"), carriers),
    )
    worth = [each for each in named if len(each[2]) > 1 or getattr(filters, each[0])]
    return tuple(_menu(filters, name, label, options) for name, label, options in worth)


def _menu(filters: Filters, name: str, label: str, options: list[tuple[str, str]]) -> Menu:
    chosen = getattr(filters, name)
    address = filters.address
    return Menu(
        label=label,
        options=tuple(Option(text, address.but(**{name: value}), value == chosen) for value, text in options),
        chosen=dict(options).get(chosen, chosen) if chosen else "",
        clear=address.but(**{name: ""}),
    )


def _row(language: Language, row: store.Row, now: datetime, *, masked: bool) -> OrderRow:
    return OrderRow(
        id=row.id,
        number=row.number,
        shop=row.shop,
        state=_state(language, row),
        latest=row.latest or "",
        moved=language.when(row.moved_at, now),
        promised=language.say("by %(time)s", time=language.exact(row.promised_at, now)) if row.promised_at else "",
        carrier=carrier_name(language, row.carrier) if row.carrier else "",
        waybill=row.waybill or "",
        more=max(row.parcels - 1, 0),
        receiver=row.name_mask if masked else "",
        place=" ".join(filter(None, (row.province, row.city, row.district))),
        total=language.money(row.total_fen),
    )


def _state(language: Language, row: store.Row) -> Pill:
    """A parcel in trouble speaks for its order; otherwise the order's word does, with the shape of its parcel."""
    if row.held and row.word == Word.TO_SHIP:
        return Pill("s-hold", language.say("On hold"))
    if row.word in {Word.CLOSED, Word.COMPLETED, Word.PART_DELIVERED} or row.stage is None:
        return order_pill(language, row.word)
    if row.stage == "dispatched" or row.stage in TROUBLE_STAGES:
        return pill(language, stage=row.stage, state=row.state or "", kind=row.kind or "")
    return order_pill(language, row.word)
