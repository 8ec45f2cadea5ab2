"""What is looked for now and then: rows of the tally that can be one."""

from waystream.kernel.jobs import Handler, Outside, Sweep
from waystream.parts.tally import actions

#: At 1,000 changes a second this leaves some 20,000 rows to be summed by a page: 5 ms.
SUM_UP_S = 10

SWEEPS: tuple[Sweep, ...] = (Sweep("sum_up_tally", SUM_UP_S, actions.sum_up),)


def handlers(outside: Outside) -> tuple[Handler, ...]:
    """The tally asks nothing of the outside."""
    return ()
