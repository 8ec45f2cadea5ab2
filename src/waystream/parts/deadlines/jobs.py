"""What is due is looked for every few seconds; a shop's new settings are applied to all that stands."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from waystream.kernel.jobs import Claimed, Handler, Outside, Run, Sweep
from waystream.kernel.tx import Tx
from waystream.parts.deadlines import actions, settings


@dataclass(frozen=True, slots=True)
class FollowDeadlines:
    """`follow_deadlines`: a shop's settings are applied to its orders and parcels, some at a time; touches nothing
    outside, and may be run again from the beginning."""

    kind: str = settings.FOLLOW
    lease_s: float = 600.0
    max_attempts: int = 20
    concurrency: int = 1

    def do(self, run: Run) -> None:
        shop_id = run.job.shop_id
        self._follow(run, lambda after, tx: settings.follow_orders(tx, shop_id, after_id=after))
        self._follow(run, lambda after, tx: settings.follow_parcels(tx, shop_id, after_id=after))

    def _follow(self, run: Run, step: Callable[[int, Tx], int | None]) -> None:
        after: int | None = 0
        while after is not None:
            after = run.work.run(partial(step, after))

    def give_up(self, tx: Tx, job: Claimed) -> None:
        """The settings hold for what comes; a person sees the job, and may ask for it again."""


SWEEPS: tuple[Sweep, ...] = (
    Sweep("fire_deadlines", every_s=5.0, do=actions.fire_due),
    Sweep("forget_verified_deliveries", every_s=3600.0, do=actions.forget_verified),
)


def handlers(outside: Outside) -> tuple[Handler, ...]:
    """Deadlines ask nothing of the outside."""
    return (FollowDeadlines(),)
