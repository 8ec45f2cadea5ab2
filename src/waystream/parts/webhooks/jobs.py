"""What is looked for now and then: old secrets, and what was told long ago. Sending is the courier's own loop."""

from waystream.kernel.jobs import Handler, Outside, Sweep
from waystream.parts.webhooks import actions

#: At 10,000 rows each time this forgets 14 million deliveries a day.
TIDY_S = 60

SWEEPS: tuple[Sweep, ...] = (Sweep("tidy_up_webhooks", TIDY_S, actions.tidy_up),)


def handlers(outside: Outside) -> tuple[Handler, ...]:
    """Deliveries are no jobs: they are claimed per endpoint."""
    return ()
