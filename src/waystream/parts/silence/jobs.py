"""Silence's own chore: the sweep over what is overdue."""

from datetime import timedelta

from waystream.kernel.jobs import Handler, Outside, Sweep
from waystream.parts.silence import actions, history
from waystream.settings import Settings

WATCH_S, PUBLISH_S = 5.0, 60.0
SWEEPS: tuple[Sweep, ...] = ()


def handlers(outside: Outside) -> tuple[Handler, ...]:
    return ()


def list_sweeps(settings: Settings) -> tuple[Sweep, ...]:
    """The sweep, with how long the settings let it wait for an answer."""
    wait = timedelta(minutes=settings.silence_wait_min)
    return (
        Sweep("watch_silence", WATCH_S, lambda tx: actions.watch(tx, wait=wait)),
        Sweep("publish_patience", PUBLISH_S, history.publish_when_due),
    )
