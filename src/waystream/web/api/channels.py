"""Channels over the API: the ways a shop's messages leave by, how each fares, and a test.

What is typed in is kept sealed: settings go in and only those that are no secrets come out.
"""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path
from msgspec import Meta, structs
from starlette.responses import Response

from waystream.core.gateways import Gateway
from waystream.kernel.tx import Tx
from waystream.parts.channels import actions, model
from waystream.web.interface import Call, may, told
from waystream.web.reach import find_shop
from waystream.web.wire import MAX_ID, Asked, Id, Told, see

READ, WRITE = "setup:read", "shop:write"

router = APIRouter(tags=["channels"])

ChannelId = Annotated[int, Path(ge=1, le=MAX_ID)]
Word = Annotated[str, Meta(min_length=1, max_length=40)]
Given = Annotated[str, Meta(max_length=2_000)]


class ChannelChangeIn(Asked, frozen=True):
    """`settings` by the names of its gateway (see `GET /api/gateways`); an empty secret keeps what is stored.

    The lowest `rank` is used first. `priorities` and `causes` choose the tickets that staff is told of.
    """

    name: Annotated[str, Meta(min_length=1, max_length=model.NAME_MAX)]
    settings: dict[Word, Given]
    rank: Annotated[int, Meta(ge=0, le=model.RANK_MAX)] = 100
    per_minute: Annotated[int, Meta(ge=1, le=model.PER_MINUTE_MAX)] | None = None
    priorities: tuple[Word, ...] = model.USUAL_PRIORITIES
    causes: tuple[Word, ...] = ()

    def described(self) -> model.ChannelIn:
        return model.ChannelIn(self.name, self.settings, self.rank, self.per_minute, self.priorities, self.causes)

    def __repr__(self) -> str:
        return f"ChannelChangeIn({self.name})"


class NewChannelIn(ChannelChangeIn, frozen=True, kw_only=True):
    """`shop` is the shop's code, `gateway` one of `GET /api/gateways`."""

    shop: Annotated[str, Meta(min_length=1, max_length=64)]
    gateway: Word

    def __repr__(self) -> str:
        return f"NewChannelIn({self.name})"


class ChannelSwitchIn(Asked, frozen=True):
    on: bool


class ChannelTestIn(Asked, frozen=True):
    """`to` is used once and kept nowhere; staff and the shop's own port need none."""

    to: Annotated[str, Meta(max_length=model.TEST_TO_MAX)] = ""

    def __repr__(self) -> str:
        return "ChannelTestIn()"


class Channel(Told, frozen=True):
    """`reach`: email, sms, shop or staff. `fails`: the last message did; `failed_code` is the other side's own word and
    `mend` what to do about it."""

    id: Id
    shop_id: Id
    reach: str
    gateway: str
    name: str
    rank: int
    per_minute: int
    priorities: tuple[str, ...]
    causes: tuple[str, ...]
    created_at: datetime
    disabled_at: datetime | None
    testing: bool
    tested_at: datetime | None
    worked_at: datetime | None
    failed_at: datetime | None
    fails: bool
    failed_code: str
    failed_said: str
    mend: str = ""


class Channels(Told, frozen=True):
    channels: tuple[Channel, ...]


class GatewaySetting(Told, frozen=True):
    """`form`: text, secret, host, port, email, url, templates, or one of `options`."""

    name: str
    form: str
    label: str
    hint: str
    required: bool
    usual: str
    options: tuple[str, ...]


class GatewayKind(Told, frozen=True):
    name: str
    title: str
    reach: str
    per_minute: int
    settings: tuple[GatewaySetting, ...]


class Gateways(Told, frozen=True):
    gateways: tuple[GatewayKind, ...]


@router.get("/gateways", summary="List the gateways there are and what each wants to know")
@told(gives=Gateways)
def list_gateways(call: Annotated[Call, may(READ)]) -> Response:
    gateways = call.context.gateways
    return call.show(lambda tx: Gateways(gateways=tuple(_kind(each) for _, each in sorted(gateways.items()))))


def _kind(gateway: Gateway) -> GatewayKind:
    caption = gateway.caption
    settings = tuple(
        GatewaySetting(
            name=each.name,
            form=each.form,
            label=each.label.en,
            hint=each.hint.en,
            required=each.required,
            usual=each.usual,
            options=each.options,
        )
        for each in caption.settings
    )
    return GatewayKind(
        name=caption.name,
        title=caption.title.en,
        reach=caption.reach,
        per_minute=caption.per_minute,
        settings=settings,
    )


@router.get("/channels", summary="List channels")
@told(gives=Channels)
def list_channels(call: Annotated[Call, may(READ)]) -> Response:
    """Of the caller's shops, the preferred first."""
    return call.show(lambda tx: Channels(channels=tuple(_see(call, row) for row in actions.list_channels(tx))))


@router.post("/channels", summary="Add a channel", status_code=201)
@told(
    takes=NewChannelIn,
    gives=Channel,
    errors=(409, 422),
    status=201,
    example={
        "shop": "tea",
        "gateway": "smtp",
        "name": "mail",
        "settings": {"host": "smtp.example.com", "port": "587", "security": "starttls", "sender": "a@example.com"},
    },
)
def add_channel(call: Annotated[Call, may(WRITE)]) -> Response:
    asked, gateways = call.read(NewChannelIn), call.context.gateways

    def add(tx: Tx) -> Channel:
        shop_id = find_shop(tx, asked.shop)
        assert shop_id is not None, "a shop's code is never empty"
        return _see(
            call,
            actions.add_channel(tx, shop_id, asked.gateway, asked.described(), gateways=gateways, actor=call.actor),
        )

    return call.do(add, status=201)


@router.get("/channels/{channel}", summary="Read one channel")
@told(gives=Channel, errors=(404, 422))
def get_channel(call: Annotated[Call, may(READ)], channel: ChannelId) -> Response:
    return call.show(lambda tx: _see(call, actions.get_channel(tx, channel)))


@router.put("/channels/{channel}", summary="Change a channel")
@told(takes=ChannelChangeIn, gives=Channel, errors=(404, 409, 422))
def change_channel(call: Annotated[Call, may(WRITE)], channel: ChannelId) -> Response:
    """From the next message on."""
    asked, gateways = call.read(ChannelChangeIn), call.context.gateways
    return call.do(
        lambda tx: _see(
            call, actions.change_channel(tx, channel, asked.described(), gateways=gateways, actor=call.actor)
        )
    )


@router.delete("/channels/{channel}", summary="Remove a channel with what was typed in")
@told(gives=Channels, errors=(404, 422))
def remove_channel(call: Annotated[Call, may(WRITE)], channel: ChannelId) -> Response:
    """Answers those that are left."""

    def remove(tx: Tx) -> Channels:
        actions.remove_channel(tx, channel, actor=call.actor)
        return Channels(channels=tuple(_see(call, row) for row in actions.list_channels(tx)))

    return call.do(remove)


@router.post("/channels/{channel}/switch", summary="Switch a channel on or off")
@told(takes=ChannelSwitchIn, gives=Channel, errors=(404, 422))
def switch_channel(call: Annotated[Call, may(WRITE)], channel: ChannelId) -> Response:
    asked = call.read(ChannelSwitchIn)
    return call.do(lambda tx: _see(call, actions.switch_channel(tx, channel, on=asked.on, actor=call.actor)))


@router.post("/channels/{channel}/test", summary="Send a test", status_code=202)
@told(takes=ChannelTestIn, gives=Channel, errors=(404, 422), status=202)
def test_channel(call: Annotated[Call, may(WRITE)], channel: ChannelId) -> Response:
    """How it went stands at the channel once `testing` is false."""
    asked = call.read(ChannelTestIn)

    def test(tx: Tx) -> Channel:
        actions.test_channel(tx, channel, to=asked.to, language="en", actor=call.actor)
        return _see(call, actions.get_channel(tx, channel))

    return call.do(test, status=202)


def _see(call: Call, row: model.Channel) -> Channel:
    gateway = call.context.gateways.get(row.gateway)
    mend = gateway.mend_sentence(row.failed_code, "en") if gateway and row.fails else ""
    return structs.replace(see(Channel, row), mend=mend)
