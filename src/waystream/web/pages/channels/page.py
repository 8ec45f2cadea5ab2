"""GET /channels: every way a shop's messages leave by, and how each fares; adding one."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from waystream.core.errors import Conflict, Invalid, Missing
from waystream.core.gateways import Gateway, Reach
from waystream.kernel.tx import Tx
from waystream.parts.channels import actions as channels
from waystream.parts.channels.model import Channel, ChannelIn
from waystream.parts.shops import actions as shops
from waystream.web.auth import Seat, requires
from waystream.web.context import context_of
from waystream.web.forms import Filled, Form, FormField, FormPage, filled_in, loose_problem
from waystream.web.navigation import Entry
from waystream.web.pages.channels import channel
from waystream.web.pages.channels.channel import BACK, READ, WRITE, read_form
from waystream.web.pages.channels.words import REACH_WORDS, draw_fields, say_gateway, say_mend, view_state
from waystream.web.render import go, language_of, show
from waystream.web.shell.language import N_, Language, Moment
from waystream.web.shell.vocabulary import Pill
from waystream.web.views import Option

NAV = (Entry(36, "settings", "/channels", "settings", N_("Channels"), READ),)

router = APIRouter()
router.include_router(channel.router)


@dataclass(frozen=True, slots=True)
class Line:
    id: int
    name: str
    shop: str
    gateway: str
    reach: str
    rank: int
    state: Pill
    at: Moment | None
    mend: str


@dataclass(frozen=True, slots=True)
class ChannelsPage:
    """`addable`: the gateways there are, by whom they reach."""

    answer: Markup
    lines: tuple[Line, ...]
    addable: tuple[tuple[str, tuple[Option, ...]], ...]


@router.get("/channels")
def show_channels(request: Request, seat: Annotated[Seat, requires(READ)]) -> Response:
    language, gateways = language_of(request), context_of(request).gateways
    with context_of(request).work.begin(shops=seat.shops, read_only=True) as tx:
        found, now = channels.list_channels(tx), tx.now
    page = ChannelsPage(
        answer=_answer(language, found),
        lines=tuple(
            Line(
                each.id,
                each.name,
                each.shop,
                say_gateway(language, each.gateway, gateways),
                str(language.say(REACH_WORDS[each.reach])),
                each.rank,
                view_state(language, each),
                language.when(max(filter(None, (each.worked_at, each.failed_at)), default=None), now),
                language.echo(say_mend(language, each, gateways)),
            )
            for each in found
        ),
        addable=_addable(language, gateways) if seat.caller.may(WRITE) else (),
    )
    return show(request, "channels/page.html", page)


def _answer(language: Language, found: list[Channel]) -> Markup:
    on = [each for each in found if each.disabled_at is None]
    failing = [each for each in on if each.fails]
    buyers = [each for each in on if each.reach is not Reach.STAFF]
    if failing:
        return language.say_n(
            '<a href="/channels/%(first)s">%(n)s channel</a> fails: what to mend stands beside it.',
            '<a href="/channels/%(first)s">%(n)s channels</a> fail: what to mend stands beside them.',
            len(failing),
            first=failing[0].id,
        )
    if not buyers:
        return language.say("No message reaches a buyer yet: add a channel and send yourself a test.")
    return language.say_n(
        "%(n)s channel reaches buyers, %(staff)s reach staff; none fails.",
        "%(n)s channels reach buyers, %(staff)s reach staff; none fails.",
        len(buyers),
        staff=language.number(len(on) - len(buyers)),
    )


def _addable(language: Language, gateways: Mapping[str, Gateway]) -> tuple[tuple[str, tuple[Option, ...]], ...]:
    found = [
        (
            str(language.say(word)),
            tuple(
                Option(each.caption.title.say(language.code), f"{BACK}/new/{name}")
                for name, each in sorted(gateways.items())
                if each.caption.reach is reach
            ),
        )
        for reach, word in REACH_WORDS.items()
    ]
    return tuple((word, options) for word, options in found if options)


@router.get("/channels/new/{gateway}")
def show_new(request: Request, seat: Annotated[Seat, requires(WRITE)], gateway: str) -> Response:
    return show(request, "form.html", _draw_new(request, seat, gateway, None))


@router.post("/channels/new/{gateway}")
def add(request: Request, seat: Annotated[Seat, requires(WRITE)], gateway: str, form: Form) -> Response:
    context = context_of(request)
    found = _gateway(request, gateway)

    def create(tx: Tx) -> Channel:
        shop_id = next((shop.id for shop in shops.list_shops(tx) if str(shop.id) == form.text("shop")), None)
        if shop_id is None:
            raise Invalid("shop", "choose one of your shops")
        told: ChannelIn = read_form(form, found)
        return channels.add_channel(tx, shop_id, gateway, told, gateways=context.gateways, actor=seat.caller.actor)

    try:
        new = context.work.run(create, shops=seat.shops)
    except (Invalid, Conflict) as refusal:
        page = _draw_new(request, seat, gateway, form.refused(refusal))
        return show(request, "form.html", page, status=refusal.status)
    return go(f"{BACK}/{new.id}", said=language_of(request).say("The channel is there. Send yourself a test."))


def _gateway(request: Request, name: str) -> Gateway:
    found = context_of(request).gateways.get(name)
    if found is None:
        raise Missing("There is no such kind of channel.")
    return found


def _draw_new(request: Request, seat: Seat, name: str, form: Filled | None) -> FormPage:
    language, gateway = language_of(request), _gateway(request, name)
    with context_of(request).work.begin(shops=seat.shops, read_only=True) as tx:
        options = tuple((str(shop.id), shop.name) for shop in shops.list_shops(tx))
    shop = FormField("shop", language.say("Shop"), "choice", options=options)
    fields = filled_in((shop, *draw_fields(language, gateway, None, {})), form)
    return FormPage(
        title=gateway.caption.title.say(language.code),
        answer=language.say(
            "%(kind)s: what is typed in here is kept sealed, and no secret is shown again.",
            kind=gateway.caption.title.say(language.code),
        ),
        action=f"{BACK}/new/{name}",
        verb=language.say("Save"),
        back=BACK,
        fields=fields,
        problem=loose_problem(fields, form),
    )
