"""What the other side of a channel tells later of a letter."""

from dataclasses import dataclass
from typing import ClassVar

from waystream.core.channels import ReportState
from waystream.core.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterReported(Event):
    """A receipt came. The letter is known by `receipt`, or by its id where that is empty; `channel` is the name.

    `said` is the other side's own code, without a number or address.
    """

    public: ClassVar[str] = ""  # the notice it ends is told: notice.delivered, notice.refused
    channel_id: int
    channel: str
    state: ReportState
    receipt: str
    letter_id: str
    said: str

    @property
    def subject(self) -> str:
        return f"letter:{self.channel_id}/{self.receipt or self.letter_id}"
