"""When a ticket opens, gets worse or is wrong again, then the staff channels that want to hear of it say so."""

from collections.abc import Sequence

from waystream.core.events.care import TicketOpened, TicketRaised, TicketReopened
from waystream.kernel.log import Recorded
from waystream.kernel.tx import Tx
from waystream.parts.channels import staffing
from waystream.parts.channels.alarms import Alarm

WHEN = (TicketOpened, TicketRaised, TicketReopened)
SENTENCE_ZH = "工单新开、升级或重开时，订阅了它的员工渠道会收到通知。"
START = "end"


def do(tx: Tx, events: Sequence[Recorded]) -> None:
    staffing.tell(
        tx,
        [
            Alarm(told.id, event.shop_id, event.ticket_id, event.cause, event.priority, told.at)
            for told in events
            if isinstance(event := told.event, WHEN)
        ],
    )
