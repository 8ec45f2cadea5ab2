"""When something happens that a shop's endpoint wants to hear, then it is queued for that endpoint once."""

from collections.abc import Sequence

from waystream.core.public_event import public_types
from waystream.kernel.log import Recorded
from waystream.kernel.tx import Tx
from waystream.parts.webhooks import actions as webhooks

WHEN = tuple(public_types().values())
SENTENCE_ZH = "店铺的推送地址想知道的事情发生时，为该地址排队一次。"
START = "end"


def do(tx: Tx, events: Sequence[Recorded]) -> None:
    webhooks.fan_out(tx, events)
