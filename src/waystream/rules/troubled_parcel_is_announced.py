"""When a carrier says that a parcel is held up, then its buyer is told that it takes longer, and why."""

from collections.abc import Sequence

from waystream.core.events.tracking import ExceptionRaised
from waystream.kernel.log import Recorded
from waystream.kernel.tx import Tx
from waystream.parts.notices import actions as notices
from waystream.parts.notices.kinds import load_kinds
from waystream.parts.notices.model import Happening

WHEN = (ExceptionRaised,)
SENTENCE_ZH = "承运商说包裹被耽搁时，告诉买家会晚到，并说明原因。"
START = "end"
REPEATABLE = True

DELAYED = "delayed"


def do(tx: Tx, events: Sequence[Recorded]) -> None:
    """Damage and the like are for a person to write about."""
    troubles = load_kinds()[DELAYED].troubles
    notices.plan(
        tx,
        [
            Happening(
                event.shop_id, event.parcel_id, DELAYED, event.at,
                detail=event.kind.value, because=f"event:{told.id}",
            )
            for told in events
            if isinstance(event := told.event, ExceptionRaised) and event.kind in troubles
        ],
    )  # fmt: skip
