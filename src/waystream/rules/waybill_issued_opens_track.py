"""When a waybill is issued, then its parcel is followed, and what was told of its number before is adopted."""

from collections.abc import Sequence

from waystream.core.events.fulfilment import WaybillIssued
from waystream.kernel.log import Recorded
from waystream.kernel.tx import Tx
from waystream.parts.tracking import actions as tracking

WHEN = (WaybillIssued,)
SENTENCE_ZH = "运单取号后，开始跟踪它的包裹，此前收到的这个单号的消息一并归入。"
START = "beginning"
REPEATABLE = True


def do(tx: Tx, events: Sequence[Recorded]) -> None:
    tracking.begin_tracks(tx, {told.event.binding_id for told in events if isinstance(told.event, WaybillIssued)})
