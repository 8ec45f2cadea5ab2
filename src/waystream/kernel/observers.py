"""Who is told what happened here: the figures always, the traces where a collector is named.

Guaranteed: without a collector nothing of OpenTelemetry is imported and an observation costs one comparison more.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from waystream.kernel.dispatcher import Turn
from waystream.kernel.figures import Figures
from waystream.kernel.jobs import Claimed

if TYPE_CHECKING:
    from waystream.kernel.tracing import Tracing


class Observers:
    """The observers of dispatcher, runner, push desk and door, as one."""

    def __init__(self, figures: Figures, tracing: "Tracing | None" = None) -> None:
        self._figures = figures
        self._tracing = tracing

    def saw_turn(self, rule: str, turn: Turn, /, *, seconds: float) -> None:
        self._figures.saw_turn(rule, turn, seconds=seconds)
        if self._tracing and turn.digested:
            self._tracing.saw_turn(rule, turn, seconds=seconds)

    def saw_run(self, job: Claimed, /, *, seconds: float, outcome: str) -> None:
        self._figures.saw_run(job, seconds=seconds, outcome=outcome)
        if self._tracing:
            self._tracing.saw_run(job, seconds=seconds, outcome=outcome)

    def saw_push(self, integration: str, outcome: str, /, *, seconds: float, inbox_id: int | None) -> None:
        self._figures.saw_push(integration, outcome, seconds=seconds)
        if self._tracing and inbox_id is not None:
            self._tracing.saw_push(inbox_id, integration, outcome, seconds=seconds)

    def saw_commit(self, inbox_ids: Sequence[int], /, *, seconds: float) -> None:
        self._figures.saw_group(len(inbox_ids))
        if self._tracing:
            self._tracing.saw_commit(inbox_ids, seconds=seconds)
