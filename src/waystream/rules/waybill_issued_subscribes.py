"""When a waybill is bound, then its tracking is subscribed."""

from collections.abc import Sequence

from waystream.core.events.fulfilment import WaybillIssued
from waystream.kernel.log import Recorded
from waystream.kernel.tx import Tx
from waystream.parts.hub import actions as hub

WHEN = (WaybillIssued,)
SENTENCE_ZH = "运单绑定后，订阅它的轨迹。"
START = "beginning"
REPEATABLE = True


def do(tx: Tx, events: Sequence[Recorded]) -> None:
    hub.watch(tx, [told.event.binding_id for told in events if isinstance(told.event, WaybillIssued)])
