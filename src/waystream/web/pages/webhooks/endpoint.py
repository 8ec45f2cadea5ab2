"""GET /webhooks/ID: one endpoint with its log, and what can be done with it: try, switch, rotate, replay, remove."""

from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from waystream.core.errors import Invalid
from waystream.core.public_event import EVERY
from waystream.kernel.tx import Tx
from waystream.parts.webhooks import actions as webhooks
from waystream.parts.webhooks.model import COUNTED_AT_MOST, TEST_TYPE, Delivery, Endpoint, NewEndpoint
from waystream.parts.webhooks.store_deliveries import Again
from waystream.web.auth import Seat, requires
from waystream.web.context import context_of
from waystream.web.cursor import read_cursor, write_cursor
from waystream.web.forms import Filled, Form, FormPage
from waystream.web.pages.order.page import RowId
from waystream.web.render import go, language_of, show
from waystream.web.shell.language import N_, Language, Moment
from waystream.web.shell.vocabulary import Pill
from waystream.web.views import Address, Deed, Tab

READ, WRITE = "webhooks:read", "webhooks:write"
BACK = "/webhooks"
SHOWN = 50
REPLAY_STEPS = 10  # of 10,000 events each, in one request

State = Literal["", "waiting", "delivered", "given_up"]

router = APIRouter()


@dataclass(frozen=True, slots=True)
class Line:
    """One delivery. `next`: when it is tried again."""

    id: int
    type: str
    subject_at: Moment | None
    state: Pill
    attempts: str
    tried: Moment | None
    next: str
    status: str
    said: str
    again: str


@dataclass(frozen=True, slots=True)
class EndpointPage:
    answer: Markup
    aside: str
    url: str
    shop: str
    description: str
    wanted: str
    deeds: tuple[Deed, ...]
    tabs: tuple[Tab, ...]
    lines: tuple[Line, ...]
    first: str
    next: str
    replay: str
    since: str
    until: str


@dataclass(frozen=True, slots=True)
class Secret:
    """Something told once."""

    title: str
    answer: str
    secret: str = field(repr=False)
    hint: str
    back: str


def show_secret(request: Request, new: NewEndpoint, answer: str) -> Response:
    language = language_of(request)
    secret = Secret(
        title=language.say("Secret"),
        answer=answer,
        secret=new.secret,
        hint=language.say("The receiver verifies each delivery with it. A lost secret is made anew."),
        back=f"{BACK}/{new.endpoint.id}",
    )
    return show(request, "webhooks/secret.html", secret)


@router.get("/webhooks/{webhook_id:int}")
def show_endpoint(
    request: Request,
    seat: Annotated[Seat, requires(READ)],
    webhook_id: RowId,
    state: Annotated[State, Query()] = "",
    after: Annotated[str, Query(max_length=60)] = "",
) -> Response:
    address = Address(f"{BACK}/{webhook_id}", {"state": state})
    with context_of(request).work.begin(shops=seat.shops, read_only=True) as tx:
        page = draw(tx, seat, language_of(request), webhook_id, address=address, after=after)
    return show(request, "webhooks/endpoint.html", page, live=f"webhook:{webhook_id}")


def draw(tx: Tx, seat: Seat, language: Language, webhook_id: int, *, address: Address, after: str) -> EndpointPage:
    found, may_write = webhooks.get_endpoint(tx, webhook_id), seat.caller.may(WRITE)
    rows = webhooks.list_deliveries(
        tx, webhook_id, state=address.filters["state"], before=read_cursor(after), limit=SHOWN + 1
    )
    shown, today = rows[:SHOWN], tx.now.astimezone(language.zone)
    return EndpointPage(
        answer=_answer(language, found),
        aside=_aside(language, found, tx.now),
        url=found.url,
        shop=found.shop,
        description=found.description,
        wanted=say_wanted(language, found, at_most=len(found.wanted)),
        deeds=_deeds(language, found) if may_write else (),
        tabs=_tabs(language, address),
        lines=tuple(_line(language, row, tx.now, webhook_id if may_write else 0) for row in shown),
        first=address.but() if after else "",
        next=address.but(after=write_cursor(shown[-1].at, shown[-1].id)) if len(rows) > SHOWN else "",
        replay=f"{BACK}/{webhook_id}/replay" if may_write else "",
        since=f"{today:%Y-%m-%dT00:00}",
        until=f"{today:%Y-%m-%dT%H:%M}",
    )


def _answer(language: Language, found: Endpoint) -> Markup:
    facts = {"host": found.host, "waiting": say_count(language, found.waiting)}
    if found.disabled_why == "gone":
        return language.say("%(host)s said that it is gone: it was switched off.", **facts)
    if found.disabled_why == "failing":
        return language.say("%(host)s failed for days: it was switched off; deliveries waiting: %(waiting)s.", **facts)
    if found.disabled_why == "person":
        return language.say("%(host)s is switched off; deliveries waiting: %(waiting)s.", **facts)
    if found.failures:
        return language.say_n(
            "%(host)s failed %(n)s time in a row; deliveries to be tried again: %(waiting)s.",
            "%(host)s failed %(n)s times in a row; deliveries to be tried again: %(waiting)s.",
            found.failures,
            **facts,
        )
    return language.say("%(host)s hears what happens; deliveries waiting: %(waiting)s.", **facts)


def _aside(language: Language, found: Endpoint, now: datetime) -> str:
    if found.two_secrets_until is None or found.two_secrets_until <= now:
        return ""
    until = language.exact(found.two_secrets_until, now)
    return language.say("The old secret signs as well until %(until)s.", until=until)


def view_state(language: Language, found: Endpoint) -> Pill:
    if found.disabled_why:
        return Pill("s-cancelled", language.say("Switched off"))
    return Pill("s-exception", language.say("Fails")) if found.failures else Pill("s-done", language.say("Works"))


def say_count(language: Language, count: int) -> str:
    return language.number(count) + ("+" if count >= COUNTED_AT_MOST else "")


def say_wanted(language: Language, found: Endpoint, *, at_most: int) -> str:
    """The types and groups, the first of them where there are many."""
    if found.wanted == (EVERY,):
        return language.say("every event")
    more = len(found.wanted) - at_most
    return " ".join(found.wanted[:at_most]) + (f" +{language.number(more)}" if more > 0 else "")


def _deeds(language: Language, found: Endpoint) -> tuple[Deed, ...]:
    at, say = f"{BACK}/{found.id}", language.say
    switch = Deed(say("Use it again"), f"{at}/on") if found.disabled_why else Deed(say("Switch off"), f"{at}/off")
    test = () if found.disabled_why else (Deed(say("Send a test"), f"{at}/test", "main-act"),)
    return (*test, switch, Deed(say("New secret"), f"{at}/rotate"))


def _tabs(language: Language, address: Address) -> tuple[Tab, ...]:
    words = (("", N_("All")), ("waiting", N_("Waits")), ("delivered", N_("Got through")), ("given_up", N_("Given up")))
    here = address.filters["state"]
    return tuple(Tab(language.say(word), address.but(state=state), state == here) for state, word in words)


_STATES = {
    "waiting": ("s-later", N_("Waits")),
    "sending": ("s-transit", N_("Being sent")),
    "delivered": ("s-done", N_("Got through")),
    "given_up": ("s-exception", N_("Given up")),
}


def _line(language: Language, row: Delivery, now: datetime, replay_at: int) -> Line:
    shape, word = _STATES[row.state]
    again = row.state != "sending" and replay_at
    return Line(
        id=row.id,
        type=language.say("a test") if row.type == TEST_TYPE else row.type,
        subject_at=language.when(row.at, now),
        state=Pill(shape, language.say(word)),
        attempts=language.number(row.attempts),
        tried=language.when(row.tried_at, now),
        next=language.say("in %(time)s", time=language.lasting(row.due_in_s)) if row.state == "waiting" else "",
        status=str(row.status) if row.status else "",
        said=row.said,
        again=f"{BACK}/{replay_at}/deliveries/{row.id}/replay" if again else "",
    )


@router.post("/webhooks/{webhook_id:int}/test")
def test(request: Request, seat: Annotated[Seat, requires(WRITE)], webhook_id: RowId) -> Response:
    actor = seat.caller.actor
    context_of(request).work.run(lambda tx: webhooks.test_endpoint(tx, webhook_id, actor=actor), shops=seat.shops)
    return go(f"{BACK}/{webhook_id}", said=language_of(request).say("A test is on its way; it stands in the log."))


@router.post("/webhooks/{webhook_id:int}/on")
def switch_on(request: Request, seat: Annotated[Seat, requires(WRITE)], webhook_id: RowId) -> Response:
    _switch(request, seat, webhook_id, on=True)
    said = language_of(request).say("The endpoint is used again. What happened meanwhile can be replayed below.")
    return go(f"{BACK}/{webhook_id}", said=said)


@router.post("/webhooks/{webhook_id:int}/off")
def switch_off(request: Request, seat: Annotated[Seat, requires(WRITE)], webhook_id: RowId) -> Response:
    _switch(request, seat, webhook_id, on=False)
    return go(f"{BACK}/{webhook_id}", said=language_of(request).say("The endpoint is switched off."))


def _switch(request: Request, seat: Seat, webhook_id: int, *, on: bool) -> None:
    actor = seat.caller.actor
    context_of(request).work.run(
        lambda tx: webhooks.switch_endpoint(tx, webhook_id, on=on, actor=actor), shops=seat.shops
    )


@router.post("/webhooks/{webhook_id:int}/rotate")
def rotate(request: Request, seat: Annotated[Seat, requires(WRITE)], webhook_id: RowId) -> Response:
    actor = seat.caller.actor
    new = context_of(request).work.run(lambda tx: webhooks.rotate_secret(tx, webhook_id, actor=actor), shops=seat.shops)
    said = language_of(request).say("The new secret, shown this once. The old one signs as well for a day.")
    return show_secret(request, new, said)


@router.get("/webhooks/{webhook_id:int}/remove")
def ask_remove(request: Request, seat: Annotated[Seat, requires(WRITE)], webhook_id: RowId) -> Response:
    say, at = language_of(request).say, f"{BACK}/{webhook_id}"
    with context_of(request).work.begin(shops=seat.shops, read_only=True) as tx:
        found = webhooks.get_endpoint(tx, webhook_id)
    answer = say("%(host)s hears nothing more, and its log goes with it.", host=found.host)
    return show(request, "form.html", FormPage(say("Webhook"), answer, f"{at}/remove", say("Remove"), at, ()))


@router.post("/webhooks/{webhook_id:int}/remove")
def remove(request: Request, seat: Annotated[Seat, requires(WRITE)], webhook_id: RowId) -> Response:
    actor = seat.caller.actor
    context_of(request).work.run(lambda tx: webhooks.remove_endpoint(tx, webhook_id, actor=actor), shops=seat.shops)
    return go(BACK, said=language_of(request).say("The endpoint and its log are gone."))


@router.post("/webhooks/{webhook_id:int}/deliveries/{delivery_id:int}/replay")
def send_again(
    request: Request, seat: Annotated[Seat, requires(WRITE)], webhook_id: RowId, delivery_id: RowId
) -> Response:
    actor = seat.caller.actor
    context_of(request).work.run(
        lambda tx: webhooks.send_again(tx, webhook_id, delivery_id, actor=actor), shops=seat.shops
    )
    return go(f"{BACK}/{webhook_id}", said=language_of(request).say("It is sent once more."))


@router.post("/webhooks/{webhook_id:int}/replay")
def replay(request: Request, seat: Annotated[Seat, requires(WRITE)], webhook_id: RowId, form: Form) -> Response:
    """Up to REPLAY_STEPS steps; what is beyond them is for the command line."""
    language = language_of(request)
    since, until = _read(form, "since", language), _read(form, "until", language)
    delivered_too, actor = form.has("delivered_too"), seat.caller.actor

    def step(tx: Tx, after: int) -> Again:
        return webhooks.replay(
            tx, webhook_id, since=since, until=until, delivered_too=delivered_too, after=after, actor=actor
        )

    queued, after, more = 0, 0, True
    for _ in range(REPLAY_STEPS):
        again = context_of(request).work.run(partial(step, after=after), shops=seat.shops)
        queued, after, more = queued + again.queued, again.last, again.more
        if not more:
            break
    said = language.say_n("%(n)s delivery is queued.", "%(n)s deliveries are queued.", queued)
    left = language.say("%(n)s deliveries are queued, and there are more: choose a shorter time.", n=queued)
    return go(f"{BACK}/{webhook_id}", said=left if more else said)


def _read(form: Filled, name: str, language: Language) -> datetime:
    """What a browser's field of date and time sends, in the zone of the pages."""
    try:
        at = datetime.fromisoformat(form.text(name))
    except ValueError:
        raise Invalid(name, "choose a day and a time") from None
    return at if at.tzinfo else at.replace(tzinfo=language.zone)
