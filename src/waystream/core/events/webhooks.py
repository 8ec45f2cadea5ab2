"""What happens to the addresses that are told of events."""

from dataclasses import dataclass
from typing import ClassVar

from waystream.core.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookDisabled(Event):
    """An endpoint is called no more. `why`: gone (it answered 410) or failing (for days)."""

    public: ClassVar[str] = "webhook.disabled"
    endpoint_id: int
    why: str

    @property
    def subject(self) -> str:
        return f"webhook:{self.endpoint_id}"
