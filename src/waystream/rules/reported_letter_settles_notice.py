"""When a channel reports what became of a message, then its notice is delivered or refused."""

from collections.abc import Sequence

from waystream.core.channels import Report
from waystream.core.events.channels import LetterReported
from waystream.kernel.log import Recorded
from waystream.kernel.tx import Tx
from waystream.parts.notices import actions as notices

WHEN = (LetterReported,)
SENTENCE_ZH = "通道回报消息的结果时，消息记为送达或被拒。"
START = "beginning"
REPEATABLE = True


def do(tx: Tx, events: Sequence[Recorded]) -> None:
    for told in events:
        if isinstance(event := told.event, LetterReported):
            report = Report(event.state, event.receipt, event.letter_id, event.said, told.at)
            notices.take_reports(tx, event.shop_id, event.channel, [report])
