"""A storm over a hub: while it lasts nothing is scanned there, and afterwards everybody waits for his turn. Pure."""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta

_QUEUE_H = (0.5, 12.0)


@dataclass(frozen=True, slots=True)
class Storm:
    """`hub` as the map names it, without 转运中心; strikes from `began_at` on and before `ended_at`."""

    hub: str
    began_at: datetime
    ended_at: datetime

    def strikes(self, hub: str, at: datetime) -> bool:
        return hub == f"{self.hub}转运中心" and self.began_at <= at < self.ended_at

    def let_go(self, dice: random.Random, *, pace: float) -> datetime:
        """When one of those that waited has his turn."""
        return self.ended_at + timedelta(hours=dice.uniform(*_QUEUE_H) * pace)
