"""What is due is looked for every few seconds."""

from waystream.kernel.jobs import Handler, Outside, Sweep
from waystream.parts.deadlines import actions

SWEEPS: tuple[Sweep, ...] = (
    Sweep("fire_deadlines", every_s=5.0, do=actions.fire_due),
    Sweep("forget_verified_deliveries", every_s=3600.0, do=actions.forget_verified),
)


def handlers(outside: Outside) -> tuple[Handler, ...]:
    """Deadlines ask nothing of the outside."""
    return ()
