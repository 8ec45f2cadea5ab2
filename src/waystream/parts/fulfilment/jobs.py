"""The two calls of fulfilment: ask for a number, give one back. Both may be repeated after any crash.

A call that may have left and was not answered puts the attempt in doubt; it is repeated with the same code until the
network answers. The answer and the end of the job are one transaction.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from waystream.core.errors import Invalid, Refused, Unavailable, Unreadable, WaystreamError
from waystream.core.ports import Network, Reply, TakeAnswer
from waystream.kernel.jobs import Claimed, Handler, Outside, Run, Sweep
from waystream.kernel.tx import Tx
from waystream.parts.fulfilment import actions, cancels, takes
from waystream.parts.fulfilment.numbers import CANCEL_WAYBILL, TAKE_NUMBER
from waystream.parts.fulfilment.takes import Asking

DOUBT_SWEEP_S = 60.0


@dataclass(frozen=True, slots=True)
class TakeNumber:
    """`take_number`: one attempt, asked until it is answered."""

    outside: Outside
    kind: str = TAKE_NUMBER
    lease_s: float = 60.0
    max_attempts: int = 30
    concurrency: int = 8

    def do(self, run: Run) -> None:
        take_id = int(run.job.key)
        asking = run.work.run(lambda tx: takes.begin(tx, take_id))
        if asking is None:
            return
        reply, answer = self._ask(run, asking)

        def settle(tx: Tx) -> bool:
            settled = takes.settle(tx, take_id, answer, reply=reply.body)
            if settled:
                run.finish(tx)
            return settled

        if not run.work.run(settle):
            raise Unavailable("refused after a call without an answer: asked again", sent=True)

    def give_up(self, tx: Tx, job: Claimed) -> None:
        takes.give_up(tx, int(job.key))

    def _ask(self, run: Run, asking: Asking) -> tuple[Reply, TakeAnswer]:
        try:
            network = _network(self.outside.networks, asking.integration)
            reply = self.outside.exchange.send(network.ask_take(asking.aggregator, asking.request))
        except (Unavailable, Unreadable, Refused, Invalid) as error:
            raise self._unanswered(run, asking, error, sent=_may_have_left(error)) from error
        try:
            return reply, network.read_take(reply)
        except (Unavailable, Unreadable) as error:
            raise self._unanswered(run, asking, error, sent=True) from error

    def _unanswered(self, run: Run, asking: Asking, error: WaystreamError, *, sent: bool) -> WaystreamError:
        """Note the silence; what to raise: asked again later, or given up when our own settings are wrong."""
        run.work.run(lambda tx: takes.unanswered(tx, asking, sent=sent, said=error.sentence))
        if isinstance(error, Refused | Invalid):
            return Refused(error.sentence)
        retry_after_s = error.retry_after_s if isinstance(error, Unavailable) else None
        return Unavailable(error.sentence, retry_after_s=retry_after_s, sent=sent)


def _may_have_left(error: WaystreamError) -> bool:
    """An unreadable reply is a reply: the call arrived."""
    return error.sent if isinstance(error, Unavailable) else isinstance(error, Unreadable)


@dataclass(frozen=True, slots=True)
class CancelWaybill:
    """`cancel_waybill`: one number given back, asked until it is answered."""

    outside: Outside
    kind: str = CANCEL_WAYBILL
    lease_s: float = 60.0
    max_attempts: int = 30
    concurrency: int = 4

    def do(self, run: Run) -> None:
        cancel_id = int(run.job.key)
        wanted = run.work.run(lambda tx: cancels.begin(tx, cancel_id))
        if wanted is None:
            return
        network = _network(self.outside.networks, wanted.integration)
        ask = network.ask_cancel(wanted.aggregator, wanted.account, code=wanted.code, number=wanted.number)
        try:
            answer = network.read_cancel(self.outside.exchange.send(ask))
        except Unreadable as error:
            raise Unavailable(error.sentence, sent=True) from error

        def settle(tx: Tx) -> None:
            cancels.settle(tx, cancel_id, answer.outcome)
            run.finish(tx)

        run.work.run(settle)

    def give_up(self, tx: Tx, job: Claimed) -> None:
        cancels.give_up(tx, int(job.key))


def _network(networks: Mapping[str, Network], name: str) -> Network:
    if name not in networks:
        raise Refused(f"There is no integration named {name}.")
    return networks[name]


def handlers(outside: Outside) -> tuple[Handler, ...]:
    return (TakeNumber(outside), CancelWaybill(outside))


SWEEPS: tuple[Sweep, ...] = (Sweep("ask_behind_doubt", DOUBT_SWEEP_S, actions.ask_behind_doubt),)
