"""The queue of each printer, drained in order by one job at a time.

A print is marked printing before the bytes leave and printed after the printer said so; a crash in between sends the
same label again (twice the same paper is harmless, a missing one is not). A printer that is off keeps its queue.
"""

from dataclasses import dataclass

from waystream.core.errors import Refused, Unavailable, Unreadable
from waystream.core.events.fulfilment import LabelPrinted, PrintFailed
from waystream.core.ports import PrintAnswer, PrinterDriver
from waystream.kernel.jobs import Claimed, Handler, Outside, Run, Sweep
from waystream.kernel.tx import Tx
from waystream.parts.floor import actions, store
from waystream.parts.floor.model import Print, Printer

PRINTS_PER_RUN = 50
OFFLINE_RETRY_S = 10.0
PROGRESS_S = 0.5


@dataclass(frozen=True, slots=True)
class _Ready:
    """A label drawn for its printer."""

    print: Print
    document: bytes
    format: str
    device_job: str


@dataclass(frozen=True, slots=True)
class DrainPrinter:
    """Prints what waits for one printer until nothing does."""

    outside: Outside
    kind: str = actions.DRAIN
    lease_s: float = 120.0
    max_attempts: int = 1_000_000
    concurrency: int = 4

    def do(self, run: Run) -> None:
        printer_id = int(run.job.key)
        for _ in range(PRINTS_PER_RUN):
            printer, ready = self._next(run, printer_id)
            if ready is None:
                break
            self._print(run, printer, ready)
        run.work.run(lambda tx: self._close(tx, run, printer_id))

    def give_up(self, tx: Tx, job: Claimed) -> None:
        """A queue is never given up."""

    def _next(self, run: Run, printer_id: int) -> tuple[Printer, _Ready | None]:
        """Claim and draw the head of the queue, skipping prints whose label died."""
        with run.work.begin() as tx:
            printer = store.find_printer(tx.conn, printer_id)
            if printer is None or printer.disabled:
                raise Refused("The printer was removed or switched off.")
            while (head := store.next_print(tx.conn, printer_id)) is not None:
                if store.claim_print(tx.conn, head.id):
                    return printer, self._drawn(tx, printer, head)
            return printer, None

    def _drawn(self, tx: Tx, printer: Printer, head: Print) -> _Ready:
        row = store.find_label(tx.conn, head.label_id)
        assert row is not None, "a print refers to its label"
        format = self._driver(printer).formats[0]
        document = actions.rendered(actions.drawing_of(tx, row, self.outside.networks), format, dpi=printer.dpi)
        return _Ready(head, document, format, store.device_job(tx.conn, head.id))

    def _driver(self, printer: Printer) -> PrinterDriver:
        return self.outside.drivers[printer.scheme]

    def _print(self, run: Run, printer: Printer, ready: _Ready) -> None:
        try:
            answer = self._send(printer, ready)
        except (Unavailable, Unreadable) as error:
            run.work.run(lambda tx: self._offline(tx, printer, ready, error.sentence))
            raise Unavailable("The printer is off; its queue waits.", retry_after_s=OFFLINE_RETRY_S) from error
        run.work.run(lambda tx: self._settle(tx, printer, ready, answer))
        if answer.outcome in ("accepted", "offline"):
            raise Unavailable("The printer is still at it.", retry_after_s=PROGRESS_S)

    def _send(self, printer: Printer, ready: _Ready) -> PrintAnswer:
        driver = self._driver(printer)
        if ready.device_job:
            ask = driver.ask_progress(printer.address, ready.device_job)
            if ask is not None:
                return driver.read_progress(self.outside.exchange.send(ask))
        title = f"waystream-{ready.print.parcel_id}-{ready.print.id}"
        asked = driver.ask_print(printer.address, title=title, format=ready.format, document=ready.document)
        return driver.read_print(self.outside.exchange.send(asked))

    def _offline(self, tx: Tx, printer: Printer, ready: _Ready, said: str) -> None:
        store.saw_printer(tx.conn, printer.id, state="offline", said=said, at=tx.now)
        store.set_print(tx.conn, ready.print.id, state="queued", said=said, job=ready.device_job)

    def _settle(self, tx: Tx, printer: Printer, ready: _Ready, answer: PrintAnswer) -> None:
        state = {"printed": "printed", "refused": "failed"}.get(answer.outcome, "printing")
        store.saw_printer(
            tx.conn, printer.id, state="offline" if answer.outcome == "offline" else "ready", said=answer.reason,
            at=tx.now,
        )  # fmt: skip
        at = tx.now if state == "printed" else None
        store.set_print(tx.conn, ready.print.id, state=state, said=answer.reason, job=answer.job, at=at)
        known = {"shop_id": ready.print.shop_id, "parcel_id": ready.print.parcel_id, "print_id": ready.print.id}
        if state == "printed":
            tx.emit(LabelPrinted(**known))
        elif state == "failed":
            tx.emit(PrintFailed(**known, reason=answer.reason))

    def _close(self, tx: Tx, run: Run, printer_id: int) -> None:
        """Finish; under the printer's lock, so that a print queued meanwhile finds or gets its own job."""
        store.lock_printers(tx.conn, [printer_id])
        run.finish(tx)
        if store.next_print(tx.conn, printer_id) is not None:
            tx.enqueue(actions._drain(printer_id))


def handlers(outside: Outside) -> tuple[Handler, ...]:
    return (DrainPrinter(outside),)


SWEEPS: tuple[Sweep, ...] = ()
