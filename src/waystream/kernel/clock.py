"""The two clocks. Business time decides what is due; machine time serves leases, backoff and time-outs.

Guaranteed: business time is aware UTC and never goes backwards, across restarts too when it is saved.
Nothing else in Waystream asks what time it is; the database gets business time as a parameter.
"""

import json
import time
from abc import ABC, abstractmethod
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Lock

from waystream.core.errors import Invalid
from waystream.kernel.files import write_whole


class Clock(ABC):
    @abstractmethod
    def now(self) -> datetime:
        """Business time, aware UTC."""

    def machine_now(self) -> datetime:
        """The machine's own time, for leases and backoff."""
        return datetime.now(UTC)

    def machine_s(self, business_s: float) -> float:
        """How long the machine waits until so many seconds of business time have passed."""
        return business_s

    def monotonic_s(self) -> float:
        """Seconds that only ever grow, for time-outs within a process."""
        return time.monotonic()


class SystemClock(Clock):
    """Business time is machine time, held still while the machine's clock is set back."""

    def __init__(self) -> None:
        self._newest = datetime.now(UTC)
        self._lock = Lock()

    def now(self) -> datetime:
        with self._lock:
            self._newest = max(self._newest, self.machine_now())
            return self._newest


class FixedClock(Clock):
    """Business time stands still until it is moved: for tests and for jumping from due time to due time."""

    def __init__(self, at: datetime) -> None:
        self._at = _require_utc(at)

    def now(self) -> datetime:
        return self._at

    def advance(self, delta: timedelta) -> None:
        assert delta >= timedelta(0), "business time never goes back"
        self._at += delta

    def jump(self, at: datetime) -> None:
        """Move on to an instant; one that has passed changes nothing."""
        self._at = max(self._at, _require_utc(at))


class FastClock(Clock):
    """Business time runs `speed` times as fast as the machine, from an anchor where both are known."""

    def __init__(self, anchor_business: datetime, anchor_machine: datetime, speed: float) -> None:
        if speed <= 0:
            raise Invalid("speed", f"speed must be more than 0, not {speed:g}")
        self.anchor_business = _require_utc(anchor_business)
        self.anchor_machine = _require_utc(anchor_machine)
        self.speed = speed
        self._newest = self.anchor_business
        self._lock = Lock()

    @classmethod
    def resume(cls, file: Path, speed: float, *, first: datetime | None = None) -> "FastClock":
        """Go on from the saved business time, or begin at `first` (default: the machine's time) where none is."""
        machine = datetime.now(UTC)
        business = _read_saved(file)[0] if file.exists() else (first or machine)
        return cls(business, machine, speed)

    @classmethod
    def follow(cls, file: Path, speed: float) -> "FastClock":
        """The clock of the process that runs and saves it: the same time in both."""
        return cls(*_read_saved(file), speed)

    def now(self) -> datetime:
        with self._lock:
            passed_s = (self.machine_now() - self.anchor_machine).total_seconds() * self.speed
            self._newest = max(self._newest, self.anchor_business + timedelta(seconds=passed_s))
            return self._newest

    def machine_s(self, business_s: float) -> float:
        return business_s / self.speed

    def save(self, file: Path) -> None:
        """Keep the present business time; called every few seconds and at the end."""
        saved = {"business": self.now().isoformat(), "machine": self.machine_now().isoformat()}
        write_whole(file, json.dumps(saved).encode())


def _read_saved(file: Path) -> tuple[datetime, datetime]:
    """Business time, and the machine's time when it was saved."""
    try:
        saved = json.loads(file.read_bytes())
        business = _require_utc(datetime.fromisoformat(saved["business"]))
        return business, _require_utc(datetime.fromisoformat(saved.get("machine", saved["business"])))
    except (ValueError, KeyError, TypeError):
        raise Invalid(str(file), f"{file} does not hold a saved business time: mend or remove it") from None


def _require_utc(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise Invalid(None, "an instant needs a zone")
    return at.astimezone(UTC)
