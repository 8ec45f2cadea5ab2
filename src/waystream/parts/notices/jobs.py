"""`send_notice` hands one message to a channel; a sweep gives it what is due. `plan_round` plans an incident's."""

from dataclasses import dataclass

from waystream.core.errors import Refused, Unavailable
from waystream.kernel.jobs import Claimed, Handler, Job, Outside, Run, Sweep
from waystream.kernel.tx import Tx
from waystream.parts.notices import rounds, sending, store
from waystream.parts.notices.model import NoticeState, Why
from waystream.parts.notices.sending import Outgoing

SEND = "send_notice"
SWEEP_S = 1.0
#: How often a channel may be out of reach before another one is asked.
PATIENT_ATTEMPTS = 4
CHANNELS_AT_MOST = 20
BATCHES_AT_MOST = 1_000
ROUNDS_SWEEP_S = 5.0


@dataclass(frozen=True, slots=True)
class SendNotice:
    """`send_notice`: compose from today's state, hand over, write down what came of it."""

    outside: Outside
    kind: str = SEND
    lease_s: float = 120.0
    max_attempts: int = 12
    concurrency: int = 4

    def do(self, run: Run) -> None:
        notice_id = int(run.job.key)
        for _ in range(CHANNELS_AT_MOST):
            sent = run.work.run(lambda tx: sending.compose(tx, notice_id, self.outside.channels, self.outside.links))
            if sent is None or self._hand_over(run, sent):
                return

    def _hand_over(self, run: Run, sent: Outgoing) -> bool:
        """Whether this is the end of it; False: the next channel. Raises `Unavailable` to be run again later."""
        try:
            handed = sent.channel.send(sent.letter)
        except Refused as error:
            said = error.code or error.sentence
            run.work.run(lambda tx: sending.settle_refused(tx, sent, said=said))
            return False
        except Unavailable as error:
            return self._not_reached(run, sent, error)
        run.work.run(lambda tx: sending.settle_handed(tx, sent, handed))
        return True

    def _not_reached(self, run: Run, sent: Outgoing, error: Unavailable) -> bool:
        said = sending.impersonal(error.sentence)
        again = Unavailable(said, retry_after_s=error.retry_after_s, sent=error.sent)
        if error.sent:
            if sent.channel.repeatable:
                raise again from None
            run.work.run(lambda tx: sending.settle_doubted(tx, sent, said=said))
            return True
        patient = run.job.attempts < PATIENT_ATTEMPTS or not sent.others
        run.work.run(lambda tx: sending.settle_unsent(tx, sent, said=said, patient=patient))
        if patient:
            raise again from None
        return False

    def give_up(self, tx: Tx, job: Claimed) -> None:
        """What certainly was not said is refused; what may have been is in doubt."""
        found = store.find(tx.conn, int(job.key))
        if found is None:
            return
        if found.state is NoticeState.SENDING:
            store.doubt(tx.conn, found.id, said="", at=tx.now)
        elif found.state is NoticeState.PLANNED:
            sending.end(tx, found, NoticeState.REFUSED, Why.UNAVAILABLE)


@dataclass(frozen=True, slots=True)
class PlanRound:
    """`plan_round`: a message for each order in an incident, some hundred in a transaction; begun again it goes on."""

    kind: str = rounds.PLAN_ROUND
    lease_s: float = 300.0
    max_attempts: int = 12
    concurrency: int = 1

    def do(self, run: Run) -> None:
        shop_id, slowdown_id = (int(part) for part in run.job.key.split("/"))
        for _ in range(BATCHES_AT_MOST):
            if not run.work.run(lambda tx: rounds.plan_next(tx, shop_id, slowdown_id)):
                return

    def give_up(self, tx: Tx, job: Claimed) -> None:
        """It stays open on its ticket, where a person sees how far it came; the page of jobs runs it again."""


def queue_due(tx: Tx) -> int:
    """A job for each message that is due. Until then it has none: a job would lie there for the whole night."""
    due = store.take_due(tx.conn, at=tx.now)
    tx.enqueue(
        *(Job(SEND, shop_id, key=str(notice_id), subject=f"order:{order_id}") for notice_id, shop_id, order_id in due)
    )
    return len(due)


def handlers(outside: Outside) -> tuple[Handler, ...]:
    return (SendNotice(outside), PlanRound())


SWEEPS: tuple[Sweep, ...] = (
    Sweep("due_notices", SWEEP_S, queue_due),
    Sweep("told_rounds", ROUNDS_SWEEP_S, rounds.end_told),
)
