"""GET /care-hours: when each shop's people work, and how many working minutes a ticket has by its priority."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from waystream.core.care import Priority
from waystream.core.errors import Invalid, Missing
from waystream.kernel.tx import Tx
from waystream.parts.care import setting
from waystream.parts.care.hours import Hours, due_after, is_open, list_special
from waystream.parts.care.setting import HoursIn, parse_hours
from waystream.parts.shops import actions as shops
from waystream.parts.shops.model import Shop
from waystream.web.auth import Seat, requires
from waystream.web.context import context_of
from waystream.web.forms import Filled, Form, FormField, FormPage, filled_in, loose_problem
from waystream.web.navigation import Entry
from waystream.web.pages.order.page import RowId
from waystream.web.render import go, language_of, show
from waystream.web.shell.language import N_, Language

READ, WRITE = "tickets:read", "shop:write"
NAV = (Entry(31, "settings", "/care-hours", "settings", N_("Working hours"), READ),)
BACK = "/care-hours"
AHEAD_DAYS = 60
WEEKDAYS = (N_("Mon"), N_("Tue"), N_("Wed"), N_("Thu"), N_("Fri"), N_("Sat"), N_("Sun"))

router = APIRouter()


@dataclass(frozen=True, slots=True)
class HoursView:
    """`due`: when a ticket of high priority that is opened now is due."""

    shop_id: int
    name: str
    open: bool
    week: str
    hours: str
    calendar: str
    minutes: str
    due: str


@dataclass(frozen=True, slots=True)
class HoursPage:
    answer: Markup
    rows: tuple[HoursView, ...]
    may_write: bool


@router.get("/care-hours")
def show_hours(request: Request, seat: Annotated[Seat, requires(READ)]) -> Response:
    language = language_of(request)
    with context_of(request).work.begin(shops=seat.shops, read_only=True) as tx:
        page = draw(tx, seat, language)
    return show(request, "care_settings/page.html", page)


def draw(tx: Tx, seat: Seat, language: Language) -> HoursPage:
    seen = shops.list_shops(tx)
    hours = setting.list_hours(tx, [shop.id for shop in seen])
    rows = tuple(_view(language, shop, hours[shop.id], now=tx.now) for shop in seen)
    return HoursPage(_answer(language, rows), rows, may_write=seat.caller.may(WRITE))


def _answer(language: Language, rows: tuple[HoursView, ...]) -> Markup:
    if not rows:
        return language.say("There is no shop yet; working hours are a shop's own.")
    return language.say_n(
        "%(n)s shop keeps working hours; %(open)s at work now.",
        "%(n)s shops keep working hours; %(open)s at work now.",
        len(rows),
        open=language.number(sum(row.open for row in rows)),
    )


def _view(language: Language, shop: Shop, hours: Hours, *, now: datetime) -> HoursView:
    say = language.say
    return HoursView(
        shop_id=shop.id,
        name=shop.name,
        open=is_open(hours, now),
        week=" ".join(say(WEEKDAYS[day - 1]) for day in sorted(hours.weekdays)),
        hours=f"{clock(hours.opens)}–{clock(hours.closes)}",
        calendar=hours.calendar or say("none"),
        minutes=" / ".join(language.number(hours.minutes(priority)) for priority in Priority),
        due=language.exact(due_after(hours, now, Priority.HIGH), now),
    )


def clock(minutes: int) -> str:
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


@router.get("/care-hours/{shop_id:int}")
def show_one(request: Request, seat: Annotated[Seat, requires(WRITE)], shop_id: RowId) -> Response:
    return show(request, "form.html", _form(request, seat, shop_id, None))


@router.post("/care-hours/{shop_id:int}")
def change(request: Request, seat: Annotated[Seat, requires(WRITE)], shop_id: RowId, form: Form) -> Response:
    page = _form(request, seat, shop_id, None)
    try:
        hours = parse_hours(_read(form))
    except Invalid as refusal:
        page = _form(request, seat, shop_id, form.refused(refusal))
        return show(request, "form.html", page, status=refusal.status)

    def save(tx: Tx) -> None:
        setting.set_hours(tx, shop_id, hours, actor=seat.caller.actor)

    context_of(request).work.run(save, shops=seat.shops)
    return go(BACK, said=language_of(request).say("Saved; tickets that are open keep their time."))


def _read(form: Filled) -> HoursIn:
    return HoursIn(
        zone=form.text("zone"),
        weekdays=form.many("weekdays"),
        opens=form.text("opens"),
        closes=form.text("closes"),
        calendar=form.text("calendar").upper(),
        days_off=form.text("days_off"),
        days_on=form.text("days_on"),
        high_minutes=form.number("high_minutes"),
        normal_minutes=form.number("normal_minutes"),
        low_minutes=form.number("low_minutes"),
        reopen_days=form.number("reopen_days"),
    )


def _form(request: Request, seat: Seat, shop_id: int, form: Filled | None) -> FormPage:
    """Raises `Missing` for a shop that is not the caller's."""
    with context_of(request).work.begin(shops=seat.shops, read_only=True) as tx:
        shop = next((each for each in shops.list_shops(tx) if each.id == shop_id), None)
        if shop is None:
            raise Missing("There is no such shop.")
        hours = setting.list_hours(tx, [shop_id])[shop_id]
        return draw_form(language_of(request), shop, hours, form, now=tx.now)


def draw_form(language: Language, shop: Shop, hours: Hours, form: Filled | None, *, now: datetime) -> FormPage:
    say = language.say
    fields = (*_fields_of_time(language, hours), *_fields_of_priority(language, hours))
    return FormPage(
        title=shop.name,
        answer=_ahead(language, hours, now=now),
        action=f"/care-hours/{shop.id}",
        verb=say("Save"),
        back=BACK,
        fields=filled_in(fields, form),
        problem=loose_problem(fields, form),
    )


def _ahead(language: Language, hours: Hours, *, now: datetime) -> Markup:
    off, on = list_special(hours, now, days=AHEAD_DAYS)
    if not off and not on:
        return language.say("In the next %(n)s days nothing differs from the week.", n=AHEAD_DAYS)
    return language.say(
        "In the next %(n)s days closed besides: %(off)s; worked besides: %(on)s.",
        n=AHEAD_DAYS,
        off=_days(language, off, now) or language.say("none"),
        on=_days(language, on, now) or language.say("none"),
    )


def _days(language: Language, days: list[date], now: datetime) -> str:
    return " · ".join(language.short_date(day, now.year) for day in days)


def _fields_of_time(language: Language, hours: Hours) -> tuple[FormField, ...]:
    say = language.say
    return (
        FormField(
            "weekdays", say("Working days"), "ticks", ticked=tuple(str(day) for day in hours.weekdays),
            options=tuple((str(n), str(say(word))) for n, word in enumerate(WEEKDAYS, 1)),
        ),
        FormField("opens", say("Work begins"), value=clock(hours.opens), max=5),
        FormField("closes", say("Work ends"), value=clock(hours.closes), max=5),
        FormField("zone", say("Time zone"), value=hours.zone, max=40),
        FormField(
            "calendar", say("Holidays of the country"), value=hours.calendar, required=False, max=2,
            hint=say("CN knows the holidays of China and the weekend days worked for them. Empty: none."),
        ),
        FormField(
            "days_off", say("Closed besides"), value=_iso(hours.days_off), required=False, max=1200,
            hint=say("Days such as 2026-02-11, with blanks between."),
        ),
        FormField("days_on", say("Open besides"), value=_iso(hours.days_on), required=False, max=1200),
    )  # fmt: skip


def _iso(days: frozenset[date]) -> str:
    return " ".join(day.isoformat() for day in sorted(days))


def _fields_of_priority(language: Language, hours: Hours) -> tuple[FormField, ...]:
    say = language.say
    return (
        FormField(
            "high_minutes", say("High priority is due within, working minutes"), "number",
            value=str(hours.high_minutes), hint=say("What a person has to do today."),
        ),
        FormField(
            "normal_minutes", say("Normal priority, working minutes"), "number", value=str(hours.normal_minutes)
        ),
        FormField("low_minutes", say("Low priority, working minutes"), "number", value=str(hours.low_minutes)),
        FormField(
            "reopen_days", say("A closed ticket opens again within, days"), "number", value=str(hours.reopen_days),
            hint=say("What comes back later is another ticket."),
        ),
    )  # fmt: skip
