"""The post office: channels opened for sending, each at its own pace, and how every attempt went.

Guaranteed: a letter leaves through the exchange only; whatever goes wrong is `Refused` or `Unavailable`, and stands at
the channel until it works again.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from waystream.core.channels import BuyerChannel, ChannelKind, Handed, Letter
from waystream.core.errors import Invalid, Refused, Unavailable, Unreadable
from waystream.core.gateways import Gateway, Reach, Values, bounded
from waystream.core.ports import Ask, HttpAsk, Lane, MailAsk
from waystream.kernel.exchange import Exchange
from waystream.kernel.tx import Tx, Work
from waystream.parts.channels import actions, store
from waystream.parts.channels.actions import Gateways
from waystream.parts.channels.model import Channel

PRIVATE = "private"
SAID_MAX_CHARS = 300


@dataclass(frozen=True, slots=True)
class PostOffice:
    """`address` is our own, where receipts come back to. As a function it is `core.channels.Channels`."""

    work: Work
    exchange: Exchange
    gateways: Gateways
    address: str = ""

    def __call__(self, tx: Tx, shop_id: int) -> Sequence[BuyerChannel]:
        """The channels to buyers of a shop that are switched on, the preferred first."""
        found = actions.list_channels(tx, shop_id)
        return [
            self.open(tx, each)
            for each in found
            if each.disabled_at is None and each.reach is not Reach.STAFF and each.gateway in self.gateways
        ]

    def open(self, tx: Tx, channel: Channel) -> "OpenChannel":
        return OpenChannel(
            channel,
            self.gateways[channel.gateway],
            actions.open_values(tx, channel.id),
            self.address + actions.report_path(tx, channel.id, channel.shop_id),
            self,
        )


@dataclass(frozen=True, slots=True)
class OpenChannel:
    """A `core.channels.BuyerChannel`, and the way to staff."""

    channel: Channel
    gateway: Gateway
    values: Values = field(repr=False)
    report_url: str = field(repr=False)
    office: PostOffice = field(repr=False)

    @property
    def name(self) -> str:
        return self.channel.name

    @property
    def kind(self) -> ChannelKind:
        return ChannelKind(self.channel.reach)

    @property
    def repeatable(self) -> bool:
        return self.gateway.caption.repeatable

    def send(self, letter: Letter) -> Handed:
        try:
            handed = self._send(letter)
        except (Refused, Unavailable) as error:
            self._note_failed(error)
            raise
        self.office.work.run(lambda tx: store.note_worked(tx.conn, self.channel.id, at=tx.now))
        return handed

    def _send(self, letter: Letter) -> Handed:
        now = self.office.work.clock.machine_now()
        try:
            ask = self.gateway.ask_send(self.values, letter, now=now, report_url=self.report_url)
            return self.gateway.read_send(self.office.exchange.send(self._paced(ask)))
        except Invalid as error:  # the exchange calls no private address that the operator did not allow
            raise Refused(error.sentence, code=PRIVATE) from None
        except Unreadable as error:
            raise Unavailable(error.sentence, sent=True) from None

    def _paced(self, ask: Ask) -> Ask:
        lane = Lane(f"channel {self.channel.id}", self.channel.per_minute / 60)
        return replace(ask, lane=lane) if isinstance(ask, HttpAsk | MailAsk) else ask

    def _note_failed(self, error: Refused | Unavailable) -> None:
        said = bounded(error.sentence, SAID_MAX_CHARS)
        self.office.work.run(
            lambda tx: store.note_failed(tx.conn, self.channel.id, code=error.code, said=said, at=tx.now)
        )
