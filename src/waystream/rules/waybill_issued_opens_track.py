"""When a waybill is issued, then its parcel is followed, and what was told of its number before is adopted."""

from collections.abc import Sequence

from waystream.core.events.fulfilment import WaybillIssued
from waystream.kernel.log import Recorded
from waystream.kernel.tx import Tx
from waystream.parts.tracking import actions as tracking

WHEN = (WaybillIssued,)
START = "beginning"


def do(tx: Tx, events: Sequence[Recorded]) -> None:
    tracking.begin_tracks(tx, {told.event.binding_id for told in events if isinstance(told.event, WaybillIssued)})
