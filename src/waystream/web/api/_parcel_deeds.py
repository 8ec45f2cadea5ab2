"""What can be done with one parcel over the API; included by `parcels`."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path
from msgspec import Meta
from starlette.responses import Response

from waystream.core.errors import Missing
from waystream.core.facts import Verdict
from waystream.kernel.tx import Tx
from waystream.parts.floor import actions as floor
from waystream.parts.fulfilment import actions
from waystream.parts.fulfilment.model import MAX_PIECES
from waystream.parts.tracking import actions as tracking
from waystream.parts.tracking import reading
from waystream.web.api._parcel_views import Decision
from waystream.web.interface import Call, may, told
from waystream.web.raw_push import open_raw_push
from waystream.web.reach import reach_parcel
from waystream.web.wire import MAX_ID, Asked, Id, Reason, Told, see

SHIP, DECIDE = "ship:write", "parcels:write"

router = APIRouter()

ParcelId = Annotated[int, Path(ge=1, le=MAX_ID)]
Number = Annotated[str, Meta(min_length=1, max_length=64)]


class GiveReason(Asked, frozen=True):
    reason: Reason


class ReprintIn(Asked, frozen=True):
    """`printer`: elsewhere than on the warehouse's."""

    reason: Reason
    printer: Id | None = None


class ReissueIn(Asked, frozen=True):
    """`account` or `carrier`: ask elsewhere than before."""

    reason: Reason
    account: Id | None = None
    carrier: Annotated[str, Meta(max_length=20)] = ""


class BindIn(Asked, frozen=True):
    """A number made elsewhere; a shipment of several pieces needs one for each child."""

    carrier: Annotated[str, Meta(min_length=1, max_length=20)]
    number: Number
    children: Annotated[tuple[Number, ...], Meta(max_length=MAX_PIECES)] = ()


class DecideIn(Asked, frozen=True):
    verdict: Verdict
    reason: Reason


class OpenPushIn(Asked, frozen=True):
    push: Id
    reason: Reason


class QueuedPrint(Told, frozen=True):
    print_id: Id


class DoneParcel(Told, frozen=True):
    """What was asked is done, or under way with the carrier."""

    parcel_id: Id


class Decisions(Told, frozen=True):
    """Newest first; withdrawn ones too."""

    decisions: tuple[Decision, ...]


class RawPush(Told, frozen=True):
    """The bytes as they came; what is no text is shown as escapes."""

    push: Id
    integration: str
    received_at: datetime
    body: str

    def __repr__(self) -> str:
        return f"RawPush({self.push})"


@router.post("/parcels/{parcel}/reprint", summary="Print a parcel's label once more")
@told(takes=ReprintIn, gives=QueuedPrint, errors=(404, 409, 422))
def reprint_label(call: Annotated[Call, may(SHIP)], parcel: ParcelId) -> Response:
    """The same label with the same number goes to the printer's queue."""
    asked = call.read(ReprintIn)

    def reprint(tx: Tx) -> QueuedPrint:
        parcel_id = reach_parcel(tx, call.seat, parcel)
        printer_id = None if asked.printer is None else int(asked.printer)
        print_id = floor.reprint(tx, parcel_id, reason=asked.reason, actor=call.actor, printer_id=printer_id)
        return QueuedPrint(print_id=Id(print_id))

    return call.do(reprint)


@router.post("/parcels/{parcel}/void", summary="Void a parcel")
@told(takes=GiveReason, gives=DoneParcel, errors=(404, 409, 422))
def void_parcel(call: Annotated[Call, may(SHIP)], parcel: ParcelId) -> Response:
    """Before dispatch: its number is given back, its label is void, what it held can be shipped again."""
    asked = call.read(GiveReason)

    def void(tx: Tx) -> DoneParcel:
        parcel_id = reach_parcel(tx, call.seat, parcel)
        actions.void(tx, [parcel_id], reason=asked.reason, actor=call.actor)
        return DoneParcel(parcel_id=Id(parcel_id))

    return call.do(void)


@router.post("/parcels/{parcel}/reissue", summary="Take another number for a parcel")
@told(takes=ReissueIn, gives=DoneParcel, errors=(404, 409, 422))
def reissue_parcel(call: Annotated[Call, may(SHIP)], parcel: ParcelId) -> Response:
    """Before dispatch: the old number is given back first; an attempt in doubt is waited for (409 until then)."""
    asked = call.read(ReissueIn)

    def reissue(tx: Tx) -> DoneParcel:
        parcel_id = reach_parcel(tx, call.seat, parcel)
        account_id = None if asked.account is None else int(asked.account)
        actions.reissue(
            tx, parcel_id, reason=asked.reason, actor=call.actor, account_id=account_id, carrier=asked.carrier.upper()
        )
        return DoneParcel(parcel_id=Id(parcel_id))

    return call.do(reissue)


@router.post("/parcels/{parcel}/bind", summary="Bind a number made elsewhere to a parcel")
@told(takes=BindIn, gives=DoneParcel, errors=(404, 409, 422))
def bind_number(call: Annotated[Call, may(SHIP)], parcel: ParcelId) -> Response:
    asked = call.read(BindIn)

    def bind(tx: Tx) -> DoneParcel:
        parcel_id = reach_parcel(tx, call.seat, parcel)
        actions.bind_foreign(
            tx, parcel_id, carrier=asked.carrier.upper(), number=asked.number, actor=call.actor,
            children=asked.children,
        )  # fmt: skip
        return DoneParcel(parcel_id=Id(parcel_id))

    return call.do(bind)


@router.post("/parcels/{parcel}/decide", summary="Decide by hand where a parcel is")
@told(takes=DecideIn, gives=Decisions, errors=(404, 409, 422))
def decide_parcel(call: Annotated[Call, may(DECIDE)], parcel: ParcelId) -> Response:
    """Delivered, lost or returned: it stands above everything carriers say, until it is withdrawn."""
    asked = call.read(DecideIn)

    def decide(tx: Tx) -> Decisions:
        parcel_id = reach_parcel(tx, call.seat, parcel)
        tracking.decide(tx, parcel_id, verdict=asked.verdict, actor=call.actor, reason=asked.reason)
        return _list_decisions(tx, parcel_id)

    return call.do(decide)


@router.post("/parcels/{parcel}/decisions/{decision}/withdraw", summary="Withdraw a decision")
@told(takes=GiveReason, gives=Decisions, errors=(404, 409, 422))
def withdraw_decision(
    call: Annotated[Call, may(DECIDE)], parcel: ParcelId, decision: Annotated[int, Path(ge=1, le=MAX_ID)]
) -> Response:
    """The parcel is again where the carriers say it is."""
    asked = call.read(GiveReason)

    def withdraw(tx: Tx) -> Decisions:
        parcel_id = reach_parcel(tx, call.seat, parcel)
        if decision not in {each.id for each in reading.list_decisions(tx, parcel_id)}:
            raise Missing("There is no such decision")
        tracking.withdraw_decision(tx, decision, actor=call.actor, reason=asked.reason)
        return _list_decisions(tx, parcel_id)

    return call.do(withdraw)


def _list_decisions(tx: Tx, parcel_id: int) -> Decisions:
    return Decisions(decisions=tuple(see(Decision, each) for each in reading.list_decisions(tx, parcel_id)))


@router.post("/parcels/{parcel}/push", summary="Open the raw push behind a parcel's state")
@told(takes=OpenPushIn, gives=RawPush, errors=(404, 409, 422))
def open_push(call: Annotated[Call, may("person:unmask")], parcel: ParcelId) -> Response:
    """The bytes may hold names and phones: who looked, when and why is written to the audit. Only for people who see
    everything it tells; the answer is kept under no key."""
    asked = call.read(OpenPushIn)

    def read(tx: Tx) -> RawPush:
        raw = open_raw_push(
            tx, call.seat, call.context.networks, parcel_id=reach_parcel(tx, call.seat, parcel),
            inbox_id=int(asked.push), reason=asked.reason,
        )  # fmt: skip
        text = raw.body.decode("utf-8", "backslashreplace")
        return RawPush(push=asked.push, integration=raw.integration, received_at=raw.received_at, body=text)

    return call.do(read, kept=False)
