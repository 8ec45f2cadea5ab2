"""What a sandbox is told at its start. Whoever starts it (the command line, a test) fills this in."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from waystream.integrations.kdniao.fake import Merchant
from waystream.sandbox.clock import VirtualClock, machine_now
from waystream.sandbox.faults import NO_FAULTS, Faults
from waystream.sandbox.storm import Storm
from waystream.sandbox.world import DEMO, TROUBLE, USUAL, Fate, Mix, seeded


@dataclass(frozen=True, slots=True)
class Customer:
    """A merchant of the network and where its pushes go. `push_type`: 102 has codes, 101 only words."""

    id: str
    key: str = field(repr=False)
    push_url: str
    push_type: str = "102"

    @property
    def merchant(self) -> Merchant:
        return Merchant(self.id, self.key)


@dataclass(frozen=True, slots=True)
class SandboxSettings:
    """`anchor_*` and `speed` are the virtual clock's, the same that Waystream was given.

    `retry_floor_s`: seconds of the machine that a failed push waits at least, so that a fast clock does not use up
    the two retries while the receiver restarts. `demo_mix` makes rare fates frequent and lanes short. `trouble`: these
    fates have exactly these shares of all parcels. `storm`: a hub in which nothing moves for a while.
    `message_secret`: beside the network stands a shop's message port that trusts what is signed with it; empty: none.
    """

    folder: Path
    customers: tuple[Customer, ...]
    host: str = "127.0.0.1"
    port: int = 8090
    seed: int = 1
    speed: float = 1.0
    anchor_business: datetime = field(default_factory=machine_now)
    anchor_machine: datetime = field(default_factory=machine_now)
    faults: Faults = NO_FAULTS
    demo_mix: bool = False
    mix: Mix = ()
    trouble: Mapping[Fate, float] = field(default_factory=dict)
    storm: Storm | None = None
    message_secret: str = field(default="", repr=False)
    pace: float = 0.0
    retry_floor_s: float = 2.0
    tick_s: float = 0.2

    @property
    def clock(self) -> VirtualClock:
        return VirtualClock(self.anchor_business, self.anchor_machine, self.speed)

    @property
    def fate_mix(self) -> Mix:
        if self.demo_mix:
            return seeded(self.trouble or TROUBLE, self.mix or DEMO)
        return seeded(self.trouble, self.mix or USUAL)

    @property
    def travel_pace(self) -> float:
        return self.pace or (0.4 if self.demo_mix else 1.0)
