"""What is looked for now and then: sessions that ended."""

from waystream.kernel.jobs import Handler, Outside, Sweep
from waystream.parts.people import actions

SWEEPS: tuple[Sweep, ...] = (Sweep("drop_expired_sessions", every_s=3_600, do=actions.drop_expired_sessions),)


def handlers(outside: Outside) -> tuple[Handler, ...]:
    """People ask nothing of the outside."""
    return ()
