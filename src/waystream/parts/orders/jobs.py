"""What is looked for now and then: delivered orders whose buyer had the shop's days to object."""

from waystream.kernel.jobs import Handler, Outside, Sweep
from waystream.parts.orders import actions

SWEEPS: tuple[Sweep, ...] = (Sweep("complete_after_days", every_s=60, do=actions.complete_after_days),)


def handlers(outside: Outside) -> tuple[Handler, ...]:
    """Orders ask nothing of the outside."""
    return ()
