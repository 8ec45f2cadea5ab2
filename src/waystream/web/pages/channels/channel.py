"""GET /channels/ID: one channel: how it fares, what to mend, a test, its receipts; changed, switched, removed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from waystream.core.errors import Conflict, Invalid
from waystream.core.gateways import Gateway, Reach
from waystream.kernel.tx import Tx
from waystream.parts.channels import actions as channels
from waystream.parts.channels.model import Channel, ChannelIn
from waystream.web.auth import Seat, requires
from waystream.web.context import context_of
from waystream.web.forms import Filled, Form, FormPage, filled_in, loose_problem
from waystream.web.pages.channels.words import draw_fields, say_gateway, say_mend, view_state
from waystream.web.pages.order.page import RowId
from waystream.web.render import go, language_of, show
from waystream.web.shell.language import Language, Moment
from waystream.web.shell.vocabulary import Pill
from waystream.web.views import Deed

READ, WRITE = "setup:read", "shop:write"
BACK = "/channels"

router = APIRouter()


@dataclass(frozen=True, slots=True)
class ChannelPage:
    """`test_to`: whether a test needs an address. `reports`: where receipts come back, empty where there are none."""

    answer: Markup
    mend: str
    said: str
    name: str
    shop: str
    gateway: str
    state: Pill
    per_minute: str
    worked: Moment | None
    failed: Moment | None
    tested: Moment | None
    reported: Moment | None
    testing: bool
    test: str
    test_to: bool
    reports: str
    deeds: tuple[Deed, ...]
    may_write: bool


@router.get("/channels/{channel_id:int}")
def show_channel(request: Request, seat: Annotated[Seat, requires(READ)], channel_id: RowId) -> Response:
    context, language = context_of(request), language_of(request)
    with context.work.begin(shops=seat.shops, read_only=True) as tx:
        found, now = channels.get_channel(tx, channel_id), tx.now
        path = channels.report_path(tx, channel_id, found.shop_id)
    may_write = seat.caller.may(WRITE)
    reporting = hasattr(context.gateways.get(found.gateway), "read_report")
    page = ChannelPage(
        answer=_answer(language, found),
        mend=language.echo(say_mend(language, found, context.gateways)),
        said=found.failed_said if found.fails else "",
        name=found.name,
        shop=found.shop,
        gateway=say_gateway(language, found.gateway, context.gateways),
        state=view_state(language, found),
        per_minute=language.number(found.per_minute),
        worked=language.when(found.worked_at, now),
        failed=language.when(found.failed_at, now),
        tested=language.when(found.tested_at, now),
        reported=language.when(found.reported_at, now),
        testing=found.testing,
        test=f"{BACK}/{channel_id}/test" if may_write else "",
        test_to=found.reach in (Reach.EMAIL, Reach.SMS),
        reports=context.push_address + path if reporting and may_write else "",
        deeds=(_switch(language, found),) if may_write else (),
        may_write=may_write,
    )
    return show(request, "channels/channel.html", page)


def _answer(language: Language, found: Channel) -> Markup:
    if found.disabled_at is not None:
        return language.say("%(name)s is switched off: nothing leaves by it.", name=found.name)
    if found.fails:
        return language.say("%(name)s fails.", name=found.name)
    if found.testing:
        return language.say("A test of %(name)s is on its way.", name=found.name)
    if found.worked_at is not None:
        return language.say("%(name)s works.", name=found.name)
    return language.say("%(name)s was never tried: send a test.", name=found.name)


def _switch(language: Language, found: Channel) -> Deed:
    at = f"{BACK}/{found.id}"
    if found.disabled_at is None:
        return Deed(language.say("Switch off"), f"{at}/off")
    return Deed(language.say("Use it again"), f"{at}/on")


@router.get("/channels/{channel_id:int}/change")
def show_change(request: Request, seat: Annotated[Seat, requires(WRITE)], channel_id: RowId) -> Response:
    return show(request, "form.html", _draw_change(request, seat, channel_id, None))


@router.post("/channels/{channel_id:int}/change")
def change(request: Request, seat: Annotated[Seat, requires(WRITE)], channel_id: RowId, form: Form) -> Response:
    gateways, actor = context_of(request).gateways, seat.caller.actor

    def work(tx: Tx) -> None:
        gateway = channels.get_gateway(gateways, channels.get_channel(tx, channel_id).gateway)
        channels.change_channel(tx, channel_id, read_form(form, gateway), gateways=gateways, actor=actor)

    try:
        context_of(request).work.run(work, shops=seat.shops)
    except (Invalid, Conflict) as refusal:
        page = _draw_change(request, seat, channel_id, form.refused(refusal))
        return show(request, "form.html", page, status=refusal.status)
    return go(f"{BACK}/{channel_id}", said=language_of(request).say("Saved."))


def read_form(form: Filled, gateway: Gateway) -> ChannelIn:
    """What was typed in: the channel's own fields, and the settings of its gateway."""
    return ChannelIn(
        form.text("name"),
        _values(form, gateway),
        form.number("rank", 100),
        form.number("per_minute") or None,
        form.many("priorities"),
        form.many("causes"),
    )


def _values(form: Filled, gateway: Gateway) -> Mapping[str, str]:
    return {setting.name: form.text(setting.name) for setting in gateway.caption.settings}


def _draw_change(request: Request, seat: Seat, channel_id: int, form: Filled | None) -> FormPage:
    language, gateways = language_of(request), context_of(request).gateways
    with context_of(request).work.begin(shops=seat.shops, read_only=True) as tx:
        found = channels.get_channel(tx, channel_id)
        values = channels.show_values(tx, channel_id, gateways=gateways)
    at = f"{BACK}/{channel_id}"
    fields = filled_in(draw_fields(language, gateways[found.gateway], found, values), form)
    return FormPage(
        title=language.say("Channel"),
        answer=language.say("%(name)s takes what is saved here from the next message on.", name=found.name),
        action=f"{at}/change",
        verb=language.say("Save"),
        back=at,
        fields=fields,
        problem=loose_problem(fields, form),
    )


@router.post("/channels/{channel_id:int}/test")
def test(request: Request, seat: Annotated[Seat, requires(WRITE)], channel_id: RowId, form: Form) -> Response:
    language, actor = language_of(request), seat.caller.actor
    context_of(request).work.run(
        lambda tx: channels.test_channel(tx, channel_id, to=form.text("to"), language=language.code, actor=actor),
        shops=seat.shops,
    )
    return go(f"{BACK}/{channel_id}", said=language.say("A test is on its way; how it went stands here in a moment."))


@router.post("/channels/{channel_id:int}/on")
def switch_on(request: Request, seat: Annotated[Seat, requires(WRITE)], channel_id: RowId) -> Response:
    _turn(request, seat, channel_id, on=True)
    return go(f"{BACK}/{channel_id}", said=language_of(request).say("The channel is used again."))


@router.post("/channels/{channel_id:int}/off")
def switch_off(request: Request, seat: Annotated[Seat, requires(WRITE)], channel_id: RowId) -> Response:
    _turn(request, seat, channel_id, on=False)
    return go(f"{BACK}/{channel_id}", said=language_of(request).say("The channel is switched off."))


def _turn(request: Request, seat: Seat, channel_id: int, *, on: bool) -> None:
    actor = seat.caller.actor
    context_of(request).work.run(
        lambda tx: channels.switch_channel(tx, channel_id, on=on, actor=actor), shops=seat.shops
    )


@router.get("/channels/{channel_id:int}/remove")
def ask_remove(request: Request, seat: Annotated[Seat, requires(WRITE)], channel_id: RowId) -> Response:
    say, at = language_of(request).say, f"{BACK}/{channel_id}"
    with context_of(request).work.begin(shops=seat.shops, read_only=True) as tx:
        found = channels.get_channel(tx, channel_id)
    answer = say("%(name)s sends nothing more, and what was typed in is forgotten.", name=found.name)
    return show(request, "form.html", FormPage(say("Channel"), answer, f"{at}/remove", say("Remove"), at, ()))


@router.post("/channels/{channel_id:int}/remove")
def remove(request: Request, seat: Annotated[Seat, requires(WRITE)], channel_id: RowId) -> Response:
    actor = seat.caller.actor
    context_of(request).work.run(lambda tx: channels.remove_channel(tx, channel_id, actor=actor), shops=seat.shops)
    return go(BACK, said=language_of(request).say("The channel is gone."))
