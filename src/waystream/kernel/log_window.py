"""The newest of the log in memory, read once for all who follow it.

Guaranteed: a window is whole between its ends; nobody is shown part of what happened there.
"""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import attrgetter

from waystream.kernel import log
from waystream.kernel.log import Recorded
from waystream.kernel.tx import Tx

WINDOW = 20_000  # events: some seconds of the most that two cores bring


@dataclass(frozen=True, slots=True)
class Quiet:
    """Positions `after` < position <= `upto` that hold nothing for a rule: it may pass them without reading them."""

    after: int
    upto: int

    def passed(self, position: int) -> int:
        return self.upto if self.after <= position <= self.upto else position


NEVER_QUIET = Quiet(0, -1)


@dataclass(frozen=True, slots=True)
class Window:
    """The newest of the log, read once for all rules: every event with `after` < position <= `upto`.

    `quiet`: what the rule that looks through it may pass unread.
    """

    after: int
    upto: int
    events: Sequence[Recorded]
    quiet: Quiet = NEVER_QUIET

    def covers(self, position: int) -> bool:
        return self.after <= position <= self.upto

    def list_after(self, position: int, wants: Callable[[Recorded], bool]) -> list[Recorded]:
        return list(filter(wants, self.since(position)))

    def since(self, position: int) -> Sequence[Recorded]:
        return self.events[bisect_right(self.events, position, key=_position) :]

    def follow(self, tx: Tx) -> "Window":
        """The window with what came since; of a log that ran far ahead only the newest, of one that is shorter than
        it was (a database put back, a fail-over to a copy that lagged) nothing of what we had."""
        head = log.head(tx.conn)
        if head == self.upto:
            return self
        if head < self.upto:
            return NOTHING_READ.follow(tx)
        oldest = head - WINDOW
        came = log.read(tx.conn, after=max(self.upto, oldest), upto=head, limit=WINDOW)
        if self.upto < oldest:
            return Window(oldest, head, came)
        return Window(max(self.after, oldest), head, [*self.since(oldest), *came])


_position = attrgetter("position")
NOTHING_READ = Window(0, -1, ())
