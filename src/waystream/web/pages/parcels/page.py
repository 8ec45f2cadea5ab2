"""GET /parcels: every parcel by its state or stage, newest change first; labels as files."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from waystream.core.state import Kind, State
from waystream.kernel.tx import Tx
from waystream.parts.floor import actions as floor
from waystream.parts.floor import paper
from waystream.web.acting import act_on_parcel
from waystream.web.auth import Seat, requires
from waystream.web.context import context_of
from waystream.web.cursor import read_cursor, write_cursor
from waystream.web.navigation import Entry
from waystream.web.pages.order.page import RowId
from waystream.web.pages.parcels import deeds, store
from waystream.web.render import language_of, show
from waystream.web.shell.language import N_, Language, Moment
from waystream.web.shell.vocabulary import STAGE_WORDS, STATE_WORDS, Pill, carrier_name, pill
from waystream.web.views import PAGE_ROWS, Address, Tab

READ = "parcels:read"
NAV = (Entry(30, "rail", "/parcels", "parcels", N_("Parcels"), READ),)
FILES = {"png": "image/png", "pdf": "application/pdf"}

router = APIRouter()
router.include_router(deeds.router)

_STAGES = ("asked", "refused", "doubt", "conflict", "issued", "printed")


@dataclass(frozen=True, slots=True)
class ParcelRow:
    href: str
    waybill: str
    carrier: str
    state: Pill
    latest: str
    moved: Moment | None
    order: str
    more: int
    shop: str
    warehouse: str
    place: str
    weight: str


@dataclass(frozen=True, slots=True)
class ParcelsPage:
    answer: Markup
    tabs: tuple[Tab, ...]
    rows: tuple[ParcelRow, ...]
    carrier: str
    clear_carrier: str
    told: str
    first: str
    next: str


@dataclass(frozen=True, slots=True)
class Filters:
    state: str = ""
    kind: str = ""
    stage: str = ""
    view: str = ""
    carrier: str = ""
    after: str = ""

    @property
    def address(self) -> Address:
        named = ("state", "kind", "stage", "view", "carrier")
        return Address("/parcels", {name: getattr(self, name) for name in named})


@router.get("/parcels")
def list_parcels(
    request: Request,
    seat: Annotated[Seat, requires(READ)],
    state: str = "",
    kind: str = "",
    stage: str = "",
    view: str = "",
    carrier: Annotated[str, Query(max_length=20)] = "",
    after: Annotated[str, Query(max_length=60)] = "",
) -> Response:
    filters = Filters(
        state=state if state in set(State) else "",
        kind=kind if kind in set(Kind) else "",
        stage=stage if stage in STAGE_WORDS else "",
        view="trouble" if view == "trouble" else "",
        carrier=carrier,
        after=after,
    )
    with context_of(request).work.begin(shops=seat.shops, read_only=True) as tx:
        page = draw(tx, seat, filters, language_of(request))
    return show(request, "parcels/page.html", page, live="parcels")


def draw(tx: Tx, seat: Seat, filters: Filters, language: Language) -> ParcelsPage:
    wanted = store.Wanted(
        state=filters.state,
        kind=filters.kind,
        stage=filters.stage,
        trouble=filters.view == "trouble",
        carrier=filters.carrier,
        warehouses=tuple(seat.caller.warehouses) if seat.caller.warehouses is not None else None,
        before=read_cursor(filters.after),
    )
    rows = store.list_parcels(tx.conn, wanted, limit=PAGE_ROWS + 1)
    counts = store.count_parcels(tx.conn, wanted.warehouses)
    shown, address = rows[:PAGE_ROWS], filters.address
    return ParcelsPage(
        answer=_answer(language, counts),
        tabs=_tabs(language, counts, filters),
        rows=tuple(_row(language, row, tx.now) for row in shown),
        carrier=carrier_name(language, filters.carrier) if filters.carrier else "",
        clear_carrier=address.but(carrier=""),
        told=language.say_n("%(n)s parcel, by latest change", "%(n)s parcels, by latest change", len(shown)),
        first=address.but() if filters.after else "",
        next=address.but(after=write_cursor(shown[-1].at, shown[-1].id)) if len(rows) > PAGE_ROWS else "",
    )


def _answer(language: Language, counts: dict[str, int]) -> Markup:
    trouble = sum(counts[state] for state in store.TROUBLE) + sum(counts[f"stage:{s}"] for s in store.TROUBLE_STAGES)
    ended = ("delivered", "returned", "lost")
    moving = sum(count for name, count in counts.items() if ":" not in name and name not in ended)
    inside = sum(count for name, count in counts.items() if name.startswith("stage:"))
    if not moving and not inside and not trouble:
        return language.say("No parcel is under way.")
    facts = {"moving": language.number(moving), "inside": language.number(inside), "trouble": language.number(trouble)}
    if trouble:
        return language.say(
            "%(moving)s with the carriers, %(inside)s still in the house, "
            '<a href="/parcels?view=trouble">%(trouble)s need a person</a>.',
            **facts,
        )
    return language.say("%(moving)s with the carriers, %(inside)s still in the house, none needs a person.", **facts)


def _tabs(language: Language, counts: dict[str, int], filters: Filters) -> tuple[Tab, ...]:
    address = filters.address
    none_chosen = not (filters.state or filters.stage or filters.view)
    trouble = sum(counts[state] for state in store.TROUBLE) + sum(counts[f"stage:{s}"] for s in store.TROUBLE_STAGES)
    tabs = [
        Tab(language.say("All"), address.but(state="", kind="", stage="", view=""), none_chosen),
        Tab(
            language.say("Need a person"),
            address.but(view="trouble", state="", kind="", stage=""),
            filters.view == "trouble",
            language.number(trouble),
        ),
    ]
    for stage in _STAGES:
        if counts[f"stage:{stage}"] or filters.stage == stage:
            href = address.but(stage=stage, state="", kind="", view="")
            name = language.say(STAGE_WORDS[stage][1])
            tabs.append(Tab(name, href, filters.stage == stage, language.number(counts[f"stage:{stage}"])))
    for state, (_, word) in STATE_WORDS.items():
        if counts.get(state, 0) or filters.state == state:
            href = address.but(state=state, kind="", stage="", view="")
            tabs.append(Tab(language.say(word), href, filters.state == state, language.number(counts.get(state, 0))))
    return tuple(tabs)


def _row(language: Language, row: store.Row, now: datetime) -> ParcelRow:
    return ParcelRow(
        href=f"/orders/{row.order_id}#parcel-{row.id}",
        waybill=row.waybill,
        carrier=carrier_name(language, row.carrier),
        state=pill(language, stage=row.stage, state=row.state, kind=row.kind, held=row.held_reason),
        latest=row.latest,
        moved=language.when(row.at, now),
        order=row.number,
        more=max(row.orders - 1, 0),
        shop=row.shop,
        warehouse=row.warehouse,
        place=f"{row.province} {row.city}",
        weight=language.kilograms(row.weight_g) if row.weight_g else "–",
    )


@router.get("/parcels/{parcel_id:int}/label.{format}")
def get_label(
    request: Request, seat: Annotated[Seat, requires(READ)], parcel_id: RowId, format: str, dpi: int = 203
) -> Response:
    """The live label as it prints, masked as the carrier wants it; PDF by default."""
    format = format if format in FILES else "pdf"
    networks = context_of(request).networks
    label = act_on_parcel(request, seat, str(parcel_id), floor.get_label)
    document, _ = paper.render_label(label, networks, format=format, dpi=max(100, min(dpi, 300)))
    return Response(document, media_type=FILES[format], headers={"Cache-Control": "private, no-store"})
