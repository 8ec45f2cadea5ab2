"""Notices over the API: what buyers were told and why not, a message of a person, and who wants to hear nothing.

Whom a message went to and what it said stand masked, for those who may see that (`person:masked`). Receipts of
channels come in by `push`.
"""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query
from msgspec import Meta, structs
from starlette.responses import Response

from waystream.core.errors import Invalid
from waystream.kernel.tx import Tx
from waystream.parts.notices import actions, reading
from waystream.parts.notices.actions import Saying
from waystream.parts.notices.store_lists import Filters, NoticeRow
from waystream.parts.notices.words import SUBJECT_MAX, TEXT_MAX
from waystream.web.interface import Call, may, told
from waystream.web.reach import reach_order
from waystream.web.wire import MAX_ID, Asked, Id, Lined, Told, see

READ, SAY, MASKED = "notices:read", "notices:say", "person:masked"

router = APIRouter(tags=["notices"])

NoticeId = Annotated[int, Path(ge=1, le=MAX_ID)]
State = Literal["", "planned", "sending", "handed", "delivered", "refused", "dropped"]
Word = Annotated[str, Query(max_length=64)]


class NoticeView(Told, frozen=True):
    """`kind`: shipped, delayed …; said: what a person wrote. `actor` empty: a rule said it. `why`: the word of why it
    was dropped or refused. `doubted_at`: handed over without an answer, so it may have been said. `again_of`: the
    message a person had said once more. `parcels`: how many it is about."""

    id: Id
    shop_id: Id
    order_id: Id
    order: str
    kind: str
    state: str
    why: str
    actor: str
    test: bool
    again_of: Id | None
    planned_at: datetime
    due_at: datetime
    composed_at: datetime | None
    handed_at: datetime | None
    ended_at: datetime | None
    doubted_at: datetime | None
    channel: str
    language: str
    to_mask: str
    said: str
    parcels: int


class NoticePage(Told, frozen=True):
    """`after` leads to the next page; null on the last."""

    notices: tuple[NoticeView, ...]
    after: str | None


class NoticeThing(Told, frozen=True):
    """What a message is about; without a parcel, the whole order. `because` is the event that led to it."""

    parcel_id: Id | None
    at: datetime
    detail: str
    because: str


class NoticeWhole(Told, frozen=True):
    """`subject` and `text` are what was said, names and numbers masked; empty where nothing was said yet, or the
    receiver was erased."""

    notice: NoticeView
    subject: str
    text: str
    things: tuple[NoticeThing, ...]


class SayIn(Lined, frozen=True):
    """Either a `text` of your own or a `kind` in the shop's words. `{order}`, `[at {place}]` and the like are filled in
    when it leaves. `urgent`: in quiet hours, too. `once`: the same number is said once to an order (an incident's)."""

    text: Annotated[str, Meta(max_length=TEXT_MAX)] = ""
    subject: Annotated[str, Meta(max_length=SUBJECT_MAX)] = ""
    kind: Annotated[str, Meta(max_length=64)] = ""
    urgent: bool = False
    once: Annotated[int, Meta(ge=0, le=MAX_ID)] = 0


class SettleIn(Asked, frozen=True):
    """`said`: whether it got through, as somebody found out."""

    said: bool


class OptOutIn(Asked, frozen=True):
    """`kind` empty: no messages at all."""

    kind: Annotated[str, Meta(max_length=64)] = ""


class OptOutView(Told, frozen=True):
    kind: str
    mask: str
    at: datetime
    actor: str


class OptOuts(Told, frozen=True):
    """What the buyer of an order does not want to hear, by his phone and his e-mail address."""

    optouts: tuple[OptOutView, ...]


@router.get("/notices", summary="List messages to buyers, the newest first")
@told(gives=NoticePage, errors=(404, 422))
def list_notices(
    call: Annotated[Call, may(READ)],
    state: State = "",
    kind: Word = "",
    channel: Word = "",
    order: Annotated[str, Query(max_length=140, description="An order's id, or `SHOP:NUMBER`")] = "",
    doubted: Annotated[bool, Query(description="handed over without an answer")] = False,
    after: Annotated[str, Query(max_length=20, description="`after` of the page before")] = "",
    limit: Annotated[int, Query(ge=1, le=reading.PAGE_MAX, description="rows of a page")] = 50,
) -> Response:
    before = _go_on(after)

    def read(tx: Tx) -> NoticePage:
        order_id = reach_order(tx, call.seat, order) if order else 0
        filters = Filters(state, kind, channel, order_id, doubted, call.seat.caller.warehouses)
        rows = reading.list_notices(tx, filters, before=before, limit=limit)
        last = rows[-1] if len(rows) == limit else None
        return NoticePage(notices=tuple(_view(call, row) for row in rows), after=str(last.id) if last else None)

    return call.show(read)


def _view(call: Call, row: NoticeRow) -> NoticeView:
    """Whom it went to is shown, masked, to those who may see that."""
    view = see(NoticeView, row)
    return view if call.seat.caller.may(MASKED) else structs.replace(view, to_mask="")


def _go_on(after: str) -> int | None:
    if not after:
        return None
    if not (after.isascii() and after.isdigit() and int(after) <= MAX_ID):
        raise Invalid("after", "not the `after` of a page of ours")
    return int(after)


@router.get("/notices/{notice}", summary="Read one message to a buyer")
@told(gives=NoticeWhole, errors=(404,))
def read_notice(call: Annotated[Call, may(READ)], notice: NoticeId) -> Response:
    return call.show(lambda tx: _whole(tx, call, notice))


@router.post("/orders/{order}/notices", summary="Say something to a buyer")
@told(takes=SayIn, gives=NoticeWhole, errors=(404, 409, 422), status=201, example={"text": "您好，包裹已在查。"})
def say(call: Annotated[Call, may(SAY)], order: str) -> Response:
    """Planned at once, sent in a moment, or after the buyer's quiet hours. Refused where he wants no messages."""
    asked = call.read(SayIn)

    def do(tx: Tx) -> NoticeWhole:
        order_id = reach_order(tx, call.seat, order)
        saying = Saying(asked.text, asked.subject, asked.kind, asked.urgent, asked.once)
        said = actions.say_to_many(tx, [order_id], saying, actor=call.actor)
        return _whole(tx, call, said[0] if said else actions.find_said(tx, order_id, asked.once))

    return call.do(do, status=201)


@router.post("/notices/{notice}/again", summary="Say a message once more")
@told(gives=NoticeWhole, errors=(404, 409), status=201)
def say_again(call: Annotated[Call, may(SAY)], notice: NoticeId) -> Response:
    """As things are now; dropped where it is not true any more. Answers the new message."""
    return call.do(
        lambda tx: _whole(tx, call, actions.say_again(tx, _reach(tx, call, notice), actor=call.actor)), status=201
    )


@router.post("/notices/{notice}/drop", summary="Take a message back that has not left")
@told(gives=NoticeWhole, errors=(404, 409))
def drop(call: Annotated[Call, may(SAY)], notice: NoticeId) -> Response:
    def do(tx: Tx) -> NoticeWhole:
        actions.drop(tx, _reach(tx, call, notice), actor=call.actor)
        return _whole(tx, call, notice)

    return call.do(do)


@router.post("/notices/{notice}/settle", summary="Say whether a message in doubt got through")
@told(takes=SettleIn, gives=NoticeWhole, errors=(404, 409, 422))
def settle(call: Annotated[Call, may(SAY)], notice: NoticeId) -> Response:
    asked = call.read(SettleIn)

    def do(tx: Tx) -> NoticeWhole:
        actions.settle_doubt(tx, _reach(tx, call, notice), was_said=asked.said, actor=call.actor)
        return _whole(tx, call, notice)

    return call.do(do)


@router.get("/orders/{order}/optouts", summary="What an order's buyer does not want to hear")
@told(gives=OptOuts, errors=(404, 409))
def list_optouts(call: Annotated[Call, may(READ)], order: str) -> Response:
    return call.show(lambda tx: _optouts(tx, reach_order(tx, call.seat, order)))


@router.post("/orders/{order}/opt-out", summary="The buyer wants no messages")
@told(takes=OptOutIn, gives=OptOuts, errors=(404, 409, 422))
def opt_out(call: Annotated[Call, may(SAY)], order: str) -> Response:
    """By every order of the shop with this phone or e-mail address, also those that come."""
    return _opt(call, order, out=True)


@router.post("/orders/{order}/opt-in", summary="The buyer wants messages again")
@told(takes=OptOutIn, gives=OptOuts, errors=(404, 409, 422))
def opt_in(call: Annotated[Call, may(SAY)], order: str) -> Response:
    return _opt(call, order, out=False)


def _opt(call: Call, order: str, *, out: bool) -> Response:
    asked = call.read(OptOutIn)
    change = actions.opt_out if out else actions.opt_in

    def do(tx: Tx) -> OptOuts:
        order_id = reach_order(tx, call.seat, order)
        change(tx, order_id, kind=asked.kind, actor=call.actor)
        return _optouts(tx, order_id)

    return call.do(do)


def _optouts(tx: Tx, order_id: int) -> OptOuts:
    return OptOuts(optouts=tuple(see(OptOutView, each) for each in actions.list_optouts(tx, order_id)))


def _reach(tx: Tx, call: Call, notice: int) -> int:
    """The id again. Raises `Missing` for another shop's or another warehouse's."""
    return reading.read_notice(tx, notice, warehouses=call.seat.caller.warehouses).row.id


def _whole(tx: Tx, call: Call, notice: int) -> NoticeWhole:
    found = reading.read_notice(tx, notice, warehouses=call.seat.caller.warehouses)
    return NoticeWhole(
        notice=_view(call, found.row),
        subject=found.subject if call.seat.caller.may(MASKED) else "",
        text=found.text if call.seat.caller.may(MASKED) else "",
        things=tuple(
            NoticeThing(Id(each.parcel_id) if each.parcel_id else None, each.at, each.detail, each.because)
            for each in found.things
        ),
    )
