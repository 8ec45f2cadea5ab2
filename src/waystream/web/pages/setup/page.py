"""GET /setup: what is set up, what is still missing for the first parcel, and the address carriers push to."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from waystream.kernel.tx import Tx
from waystream.parts.catalogue import actions as catalogue
from waystream.parts.catalogue.model import Warehouse
from waystream.parts.hub import actions as hub
from waystream.parts.hub.model import AccountRow, AggregatorRow
from waystream.web.acting import act_on_setup
from waystream.web.auth import Seat, requires
from waystream.web.context import context_of
from waystream.web.navigation import Entry
from waystream.web.pages.setup import accounts, aggregators, warehouses
from waystream.web.render import language_of, show
from waystream.web.shell.language import N_, Language, Moment
from waystream.web.shell.vocabulary import Pill, carrier_name

READ, WRITE = "setup:read", "setup:write"
NAV = (Entry(10, "settings", "/setup", "settings", N_("Carriers"), READ),)

router = APIRouter()
for part in (aggregators, accounts, warehouses):
    router.include_router(part.router)


@dataclass(frozen=True, slots=True)
class AggregatorView:
    id: int
    code: str
    integration: str
    merchant: str
    push_url: str
    tested: Pill
    tested_at: Moment | None
    said: str
    light: Pill
    last_push: Moment | None
    bad: int


@dataclass(frozen=True, slots=True)
class AccountView:
    id: int
    name: str
    carrier: str
    aggregator: str
    warehouse: str
    priority: str
    left: str
    low: bool
    counted: Moment | None
    on: bool


@dataclass(frozen=True, slots=True)
class WarehouseView:
    id: int
    name: str
    code: str
    place: str
    contact: str
    dispatch: str
    cutoff: str


@dataclass(frozen=True, slots=True)
class Walk:
    """One step of the first run: done, or what is next."""

    done: bool
    sentence: str
    href: str
    verb: str


@dataclass(frozen=True, slots=True)
class SetupPage:
    answer: Markup
    walk: tuple[Walk, ...]
    aggregators: tuple[AggregatorView, ...]
    accounts: tuple[AccountView, ...]
    warehouses: tuple[WarehouseView, ...]
    may_write: bool


@router.get("/setup")
def show_setup(request: Request, seat: Annotated[Seat, requires(READ)]) -> Response:
    language, push_address = language_of(request), context_of(request).push_address
    page = act_on_setup(request, lambda tx: draw(tx, seat, language, push_address))
    return show(request, "setup/page.html", page, live="setup overview")


def draw(tx: Tx, seat: Seat, language: Language, push_address: str) -> SetupPage:
    hubs, carriers = hub.list_aggregators(tx), hub.list_accounts(tx)
    houses = catalogue.list_warehouses(tx)
    walk = _walk(language, houses, hubs, carriers)
    return SetupPage(
        answer=_answer(language, hubs, carriers, walk),
        walk=walk if not all(step.done for step in walk) else (),
        aggregators=tuple(_aggregator(language, row, push_address, tx.now) for row in hubs),
        accounts=tuple(_account(language, row, tx.now) for row in carriers),
        warehouses=tuple(_warehouse(language, house) for house in houses),
        may_write=seat.caller.may(WRITE),
    )


def _answer(
    language: Language, hubs: list[AggregatorRow], carriers: list[AccountRow], walk: tuple[Walk, ...]
) -> Markup:
    left = sum(not step.done for step in walk)
    if left:
        return language.say_n(
            "%(n)s step is left until parcels travel by themselves.",
            "%(n)s steps are left until parcels travel by themselves.",
            left,
        )
    wrong = next((row for row in hubs if row.test_said), None)
    if wrong is not None:
        return language.say("The test call of %(code)s was refused: %(said)s", code=wrong.code, said=wrong.test_said)
    low = next((row for row in carriers if row.low), None)
    if low is not None:
        return language.say_n(
            "Everything works; %(name)s has only %(n)s number left.",
            "Everything works; %(name)s has only %(n)s numbers left.",
            low.available or 0,
            name=low.name,
        )
    return language.say_n(
        "Everything works: %(n)s carrier account, and pushes arrive.",
        "Everything works: %(n)s carrier accounts, and pushes arrive.",
        len(carriers),
    )


def _walk(
    language: Language, houses: list[Warehouse], hubs: list[AggregatorRow], carriers: list[AccountRow]
) -> tuple[Walk, ...]:
    """The way from nothing to the first push; the test needs a carrier account to ask for."""
    say = language.say
    first = hubs[0].id if hubs else 0
    tested = any(row.tested_at and not row.test_said for row in hubs)
    pushed = any(row.first_push_at for row in hubs)
    return (
        Walk(bool(houses), say("A warehouse: where parcels leave."), "/setup/warehouses/new", say("Add a warehouse")),
        Walk(bool(hubs), say("An account at an aggregator."), "/setup/aggregators/new", say("Add an account")),
        Walk(bool(carriers), say("A carrier’s account, used through it."), "/setup/accounts/new", say("Add a carrier")),
        Walk(
            tested, say("A test call that is answered."), f"/setup/aggregators/{first}" if first else "", say("Test it")
        ),
        Walk(
            pushed, say("The push address, pasted there, and the first push received."), "#push", say("See the address")
        ),
    )


def _aggregator(language: Language, row: AggregatorRow, push_address: str, now: datetime) -> AggregatorView:
    tested = Pill("s-later", language.say("Not tested yet"))
    if row.tested_at:
        tested = (
            Pill("s-exception", language.say("Refused")) if row.test_said else Pill("s-done", language.say("Answers"))
        )
    light = Pill("s-await", language.say("Waiting for the first push"))
    if row.first_push_at:
        light = Pill("s-done", language.say("First push received"))
    return AggregatorView(
        id=row.id,
        code=row.code,
        integration=row.integration,
        merchant=row.merchant_id,
        push_url=push_address + row.push_path,
        tested=tested,
        tested_at=language.when(row.tested_at, now),
        said=row.test_said,
        light=light,
        last_push=language.when(row.last_push_at, now),
        bad=row.bad_signatures,
    )


def _account(language: Language, row: AccountRow, now: datetime) -> AccountView:
    return AccountView(
        id=row.id,
        name=row.name,
        carrier=carrier_name(language, row.carrier),
        aggregator=row.aggregator,
        warehouse=row.warehouse or language.say("every warehouse"),
        priority=language.number(row.priority),
        left=language.number(row.available) if row.available is not None else "–",
        low=row.low,
        counted=language.when(row.balance_at, now),
        on=not row.disabled,
    )


def _warehouse(language: Language, house: Warehouse) -> WarehouseView:
    return WarehouseView(
        id=house.id,
        name=house.name,
        code=house.code,
        place=" ".join(filter(None, (house.province, house.city, house.district))),
        contact=house.contact_mask,
        dispatch=language.say(warehouses.DISPATCH_WORDS[house.dispatch_by]),
        cutoff=house.cutoff,
    )
