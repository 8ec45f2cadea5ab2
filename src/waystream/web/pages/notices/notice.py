"""GET /notices/ID: one message whole: what was said to whom (masked), about what, and what can be done about it."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from waystream.kernel.tx import Tx
from waystream.parts.notices import actions, reading
from waystream.parts.notices.kinds import load_kinds
from waystream.parts.notices.model import Thing
from waystream.parts.notices.reading import Told
from waystream.parts.notices.store_lists import NoticeRow
from waystream.web.auth import Seat, requires
from waystream.web.context import context_of
from waystream.web.forms import Form
from waystream.web.pages.order.page import RowId
from waystream.web.render import go, language_of, show
from waystream.web.shell.language import N_, Language, Moment
from waystream.web.shell.vocabulary import WHY_NOT_SAID, Pill
from waystream.web.views import Deed

READ, SAY, WRITE = "notices:read", "notices:say", "notices:write"

router = APIRouter()

_STATES = {
    "planned": ("s-later", N_("Waits")),
    "sending": ("s-transit", N_("Being sent")),
    "handed": ("s-out", N_("Sent")),
    "delivered": ("s-done", N_("Arrived")),
    "refused": ("s-failed", N_("Did not get through")),
    "dropped": ("s-cancelled", N_("Not said")),
}


@dataclass(frozen=True, slots=True)
class ThingView:
    label: str
    href: str
    at: Moment | None
    because: str


@dataclass(frozen=True, slots=True)
class NoticePage:
    answer: Markup
    title: str
    state: Pill
    order: str
    order_href: str
    log_href: str
    subject: str
    text: str
    language: str
    name: str
    to: str
    channel: str
    refused_by: str
    said: str
    planned: Moment | None
    composed: Moment | None
    handed: Moment | None
    ended: Moment | None
    things: tuple[ThingView, ...]
    deeds: tuple[Deed, ...]


def title_of(language: Language, kind: str) -> str:
    found = load_kinds().get(kind)
    return found.title[language.code] if found else kind


def view_state(language: Language, row: NoticeRow) -> Pill:
    if row.state == "sending" and row.doubted_at is not None:
        return Pill("s-hold", language.say("In doubt"))
    shape, word = _STATES[row.state]
    return Pill(shape, language.say(word))


def view_why(language: Language, why: str) -> str:
    return language.say(WHY_NOT_SAID[why]) if why else ""


@router.get("/notices/{notice_id:int}")
def show_notice(request: Request, seat: Annotated[Seat, requires(READ)], notice_id: RowId) -> Response:
    with context_of(request).work.begin(shops=seat.shops, read_only=True) as tx:
        page = draw(tx, seat, language_of(request), notice_id)
    return show(request, "notices/notice.html", page, live="orders")


def draw(tx: Tx, seat: Seat, language: Language, notice_id: int) -> NoticePage:
    told = reading.read_notice(tx, notice_id, warehouses=seat.caller.warehouses)
    row, now = told.row, tx.now
    return NoticePage(
        answer=_answer(language, told),
        title=title_of(language, row.kind),
        state=view_state(language, row),
        order=row.order,
        order_href=f"/orders/{row.order_id}",
        log_href=f"/notices?order={row.order_id}",
        subject=told.subject,
        text=told.text,
        language="zh-CN" if row.language != "en" else "en",
        name=row.name_mask,
        to=row.to_mask,
        channel=row.channel,
        refused_by="、".join(row.refused_by) if language.code == "zh" else ", ".join(row.refused_by),
        said=row.said,
        planned=language.when(row.planned_at, now),
        composed=language.when(row.composed_at, now),
        handed=language.when(row.handed_at, now),
        ended=language.when(row.ended_at, now),
        things=tuple(_thing(language, thing, row, now=now) for thing in told.things),
        deeds=_deeds(language, row) if seat.caller.may(SAY) else (),
    )


def _thing(language: Language, thing: Thing, row: NoticeRow, *, now: object) -> ThingView:
    at = language.when(thing.at, now)  # type: ignore[arg-type]
    if not thing.parcel_id:
        return ThingView(language.say("The whole order"), f"/orders/{row.order_id}", at, thing.because)
    href = f"/orders/{row.order_id}#parcel-{thing.parcel_id}"
    return ThingView(language.say("Parcel %(id)s", id=thing.parcel_id), href, at, thing.because)


def _answer(language: Language, told: Told) -> Markup:
    row = told.row
    facts = {"kind": title_of(language, row.kind), "order": row.order, "name": row.name_mask, "id": row.order_id}
    if row.state == "sending" and row.doubted_at is not None:
        return language.say("%(name)s may have got this or not: the channel gave no answer.", **facts)
    if row.why:
        why = view_why(language, row.why)
        return language.say("%(name)s was not told this: %(why)s.", why=why, **facts)
    if row.state == "planned":
        return language.say("%(name)s is told this about order %(order)s as soon as it may be said.", **facts)
    if row.state == "sending":
        return language.say("It is on its way to %(name)s.", **facts)
    if row.state == "delivered":
        return language.say("%(name)s has got this about order %(order)s.", **facts)
    return language.say("%(name)s was told this about order %(order)s.", **facts)


def _deeds(language: Language, row: NoticeRow) -> tuple[Deed, ...]:
    say, at = language.say, f"/notices/{row.id}"
    if row.test:
        return ()
    if row.state == "planned":
        return (Deed(say("Take it back"), f"{at}/drop", "danger"),)
    again = Deed(say("Say it again"), f"{at}/again")
    if row.state == "sending":
        if row.doubted_at is None:
            return ()
        return (Deed(say("It arrived"), f"{at}/arrived", "main-act"), Deed(say("It did not"), f"{at}/lost"), again)
    return (again,)


@router.post("/notices/{notice_id:int}/{deed}")
def do_to_notice(
    request: Request, seat: Annotated[Seat, requires(SAY)], notice_id: RowId, deed: str, form: Form
) -> Response:
    language, actor = language_of(request), seat.caller.actor

    def do(tx: Tx) -> int:
        reading.read_notice(tx, notice_id, warehouses=seat.caller.warehouses)
        return DEEDS[deed](tx, notice_id, actor) if deed in DEEDS else 0

    done = context_of(request).work.run(do, shops=seat.shops)
    said = language.say(SAID[deed]) if deed in SAID else ""
    return go(f"/notices/{done or notice_id}", said=said)


def _again(tx: Tx, notice_id: int, actor: str) -> int:
    return actions.say_again(tx, notice_id, actor=actor)


def _drop(tx: Tx, notice_id: int, actor: str) -> int:
    actions.drop(tx, notice_id, actor=actor)
    return notice_id


def _arrived(tx: Tx, notice_id: int, actor: str) -> int:
    actions.settle_doubt(tx, notice_id, was_said=True, actor=actor)
    return notice_id


def _lost(tx: Tx, notice_id: int, actor: str) -> int:
    actions.settle_doubt(tx, notice_id, was_said=False, actor=actor)
    return notice_id


DEEDS = {"again": _again, "drop": _drop, "arrived": _arrived, "lost": _lost}
SAID = {
    "again": N_("It is said once more, as things are now."),
    "drop": N_("It is not said."),
    "arrived": N_("It counts as said."),
    "lost": N_("It counts as not said; say it again if the buyer should know."),
}
