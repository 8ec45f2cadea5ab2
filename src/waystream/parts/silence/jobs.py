"""Silence's own chore: the sweep over what is overdue."""

from datetime import timedelta

from waystream.kernel.jobs import Handler, Outside, Sweep
from waystream.parts.silence import actions, history
from waystream.parts.silence.slowness import Rules
from waystream.settings import Settings

WATCH_S, PUBLISH_S = 5.0, 60.0
SWEEPS: tuple[Sweep, ...] = ()


def handlers(outside: Outside) -> tuple[Handler, ...]:
    return ()


def list_sweeps(settings: Settings) -> tuple[Sweep, ...]:
    """The sweep, with how long the settings let it wait for an answer."""
    wait = timedelta(minutes=settings.silence_wait_min)
    rules = Rules(settings.slowdown_parcels, settings.slowdown_chance)
    return (
        Sweep("watch_silence", WATCH_S, lambda tx: actions.watch(tx, wait=wait, rules=rules)),
        Sweep("publish_patience", PUBLISH_S, history.publish_when_due),
    )
