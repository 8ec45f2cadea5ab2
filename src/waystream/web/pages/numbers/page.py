"""GET /numbers: numbers taken and never collected, by carrier and age; GET /numbers.csv: the same as a file."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from waystream.kernel.tx import Tx
from waystream.parts.fulfilment import lists
from waystream.parts.fulfilment.store_tasks import UnusedNumber
from waystream.web.auth import Seat, requires
from waystream.web.context import context_of
from waystream.web.cursor import read_cursor, write_cursor
from waystream.web.navigation import Entry
from waystream.web.pages.numbers import ranges
from waystream.web.pages.numbers.sheet import ROWS_AT_MOST, write_sheet
from waystream.web.render import language_of, show
from waystream.web.shell.language import N_, Language, Moment
from waystream.web.shell.vocabulary import Pill, carrier_name
from waystream.web.views import PAGE_ROWS, Address

READ = "parcels:read"
NAV = (Entry(60, "rail", "/numbers", "clock", N_("Unused"), READ, on_phone=False),)

router = APIRouter()
router.include_router(ranges.router)

AGES = (3, 7, 14, 30)  # days
AGE_WORDS = {3: N_("3 to 7 days"), 7: N_("7 to 14 days"), 14: N_("14 to 30 days"), 30: N_("over 30 days")}
STATES: dict[str, tuple[str, str]] = {
    "live": ("s-await", N_("Not collected")),
    "cancelling": ("s-later", N_("Being given back")),
    "asked": ("s-later", N_("Being given back")),
    "refused": ("s-exception", N_("Not taken back")),
    "unsupported": ("s-exception", N_("Call the carrier")),
}


@dataclass(frozen=True, slots=True)
class Cell:
    count: str
    href: str
    here: bool


@dataclass(frozen=True, slots=True)
class CarrierLine:
    name: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class NumberRow:
    number: str
    href: str
    carrier: str
    state: Pill
    order: str
    shop: str
    warehouse: str
    taken: Moment | None
    days: str


@dataclass(frozen=True, slots=True)
class NumbersPage:
    answer: Markup
    heads: tuple[str, ...]
    carriers: tuple[CarrierLine, ...]
    rows: tuple[NumberRow, ...]
    chosen: tuple[tuple[str, str], ...]
    file: str
    told: str
    first: str
    next: str
    ranges: bool


@dataclass(frozen=True, slots=True)
class Filters:
    carrier: str = ""
    age: int = 0
    after: str = ""

    @property
    def address(self) -> Address:
        return Address("/numbers", self.as_words)

    @property
    def as_words(self) -> dict[str, str]:
        return {"carrier": self.carrier, "age": str(self.age) if self.age else ""}

    def list(self, tx: Tx, seat: Seat, *, limit: int) -> list[UnusedNumber]:
        younger = next((age for age in AGES if age > self.age), None) if self.age else None
        return lists.list_unused_numbers(
            tx,
            older_than=timedelta(days=self.age or AGES[0]),
            younger_than=timedelta(days=younger) if younger else None,
            carrier=self.carrier,
            warehouse_ids=seat.caller.warehouses,
            after=read_cursor(self.after),
            limit=limit,
        )


Carrier = Annotated[str, Query(max_length=20)]


@router.get("/numbers")
def list_numbers(
    request: Request,
    seat: Annotated[Seat, requires(READ)],
    carrier: Carrier = "",
    age: str = "",
    after: Annotated[str, Query(max_length=60)] = "",
) -> Response:
    filters = Filters(carrier, _age(age), after)
    with context_of(request).work.begin(shops=seat.shops, read_only=True) as tx:
        page = draw(tx, seat, filters, language_of(request))
    return show(request, "numbers/page.html", page)


@router.get("/numbers.csv")
def download(request: Request, seat: Annotated[Seat, requires(READ)], carrier: Carrier = "", age: str = "") -> Response:
    """The whole list as chosen, up to `ROWS_AT_MOST` rows."""
    language = language_of(request)
    with context_of(request).work.begin(shops=seat.shops, read_only=True) as tx:
        rows = Filters(carrier, _age(age)).list(tx, seat, limit=ROWS_AT_MOST)
        words = {state: str(language.say(word)) for state, (_, word) in STATES.items()}
        sheet = write_sheet(language, rows, words, now=tx.now)
        name = f"numbers-{tx.now.astimezone(language.zone):%Y-%m-%d}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "private, no-store"}
    return Response(sheet, media_type="text/csv; charset=utf-8", headers=headers)


def _age(text: str) -> int:
    """The age of an address; 0 for any."""
    return int(text) if text in {str(age) for age in AGES} else 0


def draw(tx: Tx, seat: Seat, filters: Filters, language: Language) -> NumbersPage:
    counts = lists.count_unused_numbers(
        tx, ages=[timedelta(days=age) for age in AGES], warehouse_ids=seat.caller.warehouses
    )
    rows = filters.list(tx, seat, limit=PAGE_ROWS + 1)
    shown, address = rows[:PAGE_ROWS], filters.address
    return NumbersPage(
        answer=_answer(language, counts),
        heads=tuple(str(language.say(AGE_WORDS[age])) for age in AGES),
        carriers=_carriers(language, counts, filters),
        rows=tuple(_row(language, row, tx.now) for row in shown),
        chosen=_chosen(language, filters),
        file=Address("/numbers.csv", filters.as_words).but(),
        told=language.say_n("%(n)s number, the oldest first", "%(n)s numbers, the oldest first", len(shown)),
        first=address.but() if filters.after else "",
        next=address.but(after=write_cursor(shown[-1].since, shown[-1].id)) if len(rows) > PAGE_ROWS else "",
        ranges=seat.caller.may(ranges.READ),
    )


def _answer(language: Language, counts: dict[str, tuple[int, ...]]) -> Markup:
    whole = sum(sum(by_age) for by_age in counts.values())
    old = sum(by_age[-1] for by_age in counts.values())
    if not whole:
        return language.say("Every number that was taken has been collected within three days.")
    if old:
        return language.say_n(
            '%(n)s number was taken and not collected for three days, <a href="/numbers?age=30">%(old)s for over '
            "thirty</a>.",
            '%(n)s numbers were taken and not collected for three days, <a href="/numbers?age=30">%(old)s for over '
            "thirty</a>.",
            whole,
            old=language.number(old),
        )
    return language.say_n(
        "%(n)s number was taken and not collected for three days.",
        "%(n)s numbers were taken and not collected for three days.",
        whole,
    )


def _carriers(language: Language, counts: dict[str, tuple[int, ...]], filters: Filters) -> tuple[CarrierLine, ...]:
    """Who has most comes first; each figure leads to its numbers."""
    ordered = sorted(counts.items(), key=lambda item: (-sum(item[1]), item[0]))
    return tuple(
        CarrierLine(
            carrier_name(language, carrier),
            tuple(
                _cell(language, filters, carrier, age, count)
                for age, count in zip((*AGES, 0), (*by_age, sum(by_age)), strict=True)
            ),
        )
        for carrier, by_age in ordered
    )


def _cell(language: Language, filters: Filters, carrier: str, age: int, count: int) -> Cell:
    href = filters.address.but(carrier=carrier, age=str(age) if age else "") if count else ""
    return Cell(language.number(count), href, (filters.carrier, filters.age) == (carrier, age))


def _chosen(language: Language, filters: Filters) -> tuple[tuple[str, str], ...]:
    """What is filtered by, each with the address without it."""
    named = (
        ("carrier", carrier_name(language, filters.carrier) if filters.carrier else ""),
        ("age", str(language.say(AGE_WORDS[filters.age])) if filters.age else ""),
    )
    return tuple((word, filters.address.but(**{name: ""})) for name, word in named if word)


def _row(language: Language, row: UnusedNumber, now: datetime) -> NumberRow:
    shape, word = STATES[row.state]
    return NumberRow(
        number=row.number,
        href=f"/parcels/{row.parcel_id}",
        carrier=carrier_name(language, row.carrier),
        state=Pill(shape, language.say(word)),
        order=row.order,
        shop=row.shop,
        warehouse=row.warehouse,
        taken=language.when(row.since, now),
        days=language.number((now - row.since).days),
    )
