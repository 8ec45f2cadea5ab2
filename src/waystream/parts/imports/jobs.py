"""What is looked for now and then: files and runs that are old."""

from waystream.kernel.jobs import Handler, Outside, Sweep
from waystream.parts.imports import actions

DROP_OLD_S = 3600.0

SWEEPS: tuple[Sweep, ...] = (Sweep("drop_old_imports", DROP_OLD_S, actions.drop_old),)


def handlers(outside: Outside) -> tuple[Handler, ...]:
    """Files are read by the process they were given to."""
    return ()
