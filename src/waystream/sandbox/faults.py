"""Misbehaviour on purpose: seeded rates, each switchable while running.

A coin's throw depends on the seed, the fault, what it is about and how often it was thrown for that before, so a
run can be repeated and a retry can succeed. A process that dies on purpose dies once for one thing, restarts included.
"""

import os
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from pathlib import Path

from waystream.core.errors import Invalid
from waystream.sandbox.world import Fate

_DEATHS = frozenset({"die_before", "die_during", "die_after"})
_FATES = {"unknown_code": Fate.ODD_CODE, "vanished": Fate.RETRACTED, "contradicted": Fate.CONTRADICTED}


@dataclass(frozen=True, slots=True)
class Faults:
    """How often each strikes, 0 to 1. `slow_s` is how long a slow answer takes, `delay_h` a delayed push."""

    duplicate: float = 0.0  # a push is sent twice
    reorder: float = 0.0  # a push is overtaken by the next
    delay: float = 0.0  # a push comes hours late
    drop: float = 0.0  # a push is lost on the way, and sent again as unanswered
    http_500: float = 0.0  # an instruction is answered with 500, before or after it was obeyed
    slow: float = 0.0
    die_before: float = 0.0  # the process ends before a number is allotted
    die_during: float = 0.0  # … after it was written, before it was committed
    die_after: float = 0.0  # … after it was committed, before it was told
    bad_signature: float = 0.0  # a push is first sent with a wrong signature
    bare_106: float = 0.0  # a repeated OrderCode is answered without the number
    unknown_code: float = 0.0
    vanished: float = 0.0  # a delivery that the next snapshot no longer holds
    contradicted: float = 0.0  # a delivery that a later scan denies
    number_reuse: float = 0.0
    slow_s: float = 3.0
    delay_h: float = 6.0

    def switched(self, **rates: float) -> "Faults":
        """With some rates changed; raises `Invalid` for one that does not exist or is no rate."""
        known = {field.name for field in fields(self)}
        for name, rate in rates.items():
            if name not in known:
                raise Invalid(name, f"there is no fault {name}; there are {', '.join(sorted(known))}")
            if rate < 0 or (rate > 1 and not name.endswith(("_s", "_h"))):
                raise Invalid(name, "a rate lies between 0 and 1")
        return replace(self, **rates)


NO_FAULTS = Faults()


class Mischief:
    """Throws the coins. `folder` keeps the deaths that were died."""

    def __init__(
        self, faults: Faults, *, seed: int, folder: Path, die: Callable[[], None] = lambda: os._exit(9)
    ) -> None:
        self.faults = faults
        self._seed = seed
        self._deaths = folder / "deaths"
        self._die = die
        self._thrown: Counter[str] = Counter()

    def strikes(self, fault: str, about: str) -> bool:
        """Whether a fault strikes this time; for a death it does not return."""
        rate: float = getattr(self.faults, fault)
        if rate <= 0:
            return False
        key = f"{fault} {about}"
        self._thrown[key] += 1
        if random.Random(f"{self._seed}/{key}/{self._thrown[key]}").random() >= rate:
            return False
        return self._died(key) if fault in _DEATHS else True

    def heads(self, about: str) -> bool:
        """A fair coin."""
        return random.Random(f"{self._seed}/heads/{about}").random() < 0.5

    def fate_for(self, number: str) -> Fate | None:
        """The fate a fault imposes on a parcel, if any."""
        return next((fate for fault, fate in _FATES.items() if self.strikes(fault, number)), None)

    def _died(self, key: str) -> bool:
        if self._deaths.exists() and key in self._deaths.read_text().splitlines():
            return False
        with self._deaths.open("a") as file:
            file.write(key + "\n")
            file.flush()
            os.fsync(file.fileno())
        self._die()
        return True
