"""What happens to messages to buyers."""

from dataclasses import dataclass
from typing import ClassVar

from waystream.core.events import OrderEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeEvent(OrderEvent):
    """`template` is the kind of notice: shipped, delayed …; said: what a person wrote."""

    notice_id: int
    template: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeSent(NoticeEvent):
    """A channel took a message to a buyer. `again`: a person had it sent once more."""

    public: ClassVar[str] = "notice.sent"
    channel: str
    again: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeRefused(NoticeEvent):
    """No channel takes a message, or one reports that it did not arrive."""

    public: ClassVar[str] = "notice.refused"
    channel: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeDelivered(NoticeEvent):
    """A channel reports that a message arrived."""

    public: ClassVar[str] = "notice.delivered"
    channel: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeDropped(NoticeEvent):
    """A message was planned and is not said: `why` is the word of the reason."""

    public: ClassVar[str] = "notice.dropped"
    why: str
