"""The queue of each printer, drained in order by one job at a time; and test pages.

A print is marked printing before the bytes leave and printed after the printer said so; a crash in between sends the
same label once more (twice the same paper is harmless, a missing one is not). A printer that is off keeps its queue
and is asked again every few seconds. A label that makes run after run die is failed, so that it blocks nobody.
"""

import time
from dataclasses import dataclass
from typing import Literal

from waystream.core.errors import Invalid, Unavailable, Unreadable
from waystream.core.events.fulfilment import LabelPrinted, PrintFailed
from waystream.core.ports import Ask, PrintAnswer, PrinterDriver
from waystream.kernel.jobs import Claimed, Handler, Outside, Run, Sweep
from waystream.kernel.tx import Tx
from waystream.parts.floor import actions, paper, store
from waystream.parts.floor.model import DESTROY_PAPER, MAYBE_ON_PAPER, RUN_DIED, Label, Print, Printer

TURN_S = 10.0
"""After this a run makes way for other printers' queues."""

OFFLINE_RETRY_S = 10.0
PROGRESS_S = 0.2
WAKE_S = 60.0

State = Literal["queued", "printing", "printed", "failed", "voided"]


@dataclass(frozen=True, slots=True)
class Task:
    """The head of a queue, claimed."""

    printer: Printer
    print: Print
    label: Label


@dataclass(frozen=True, slots=True)
class Said:
    """What the printer answered, and what we did on our own account."""

    answer: PrintAnswer
    note: str = ""


@dataclass(frozen=True, slots=True)
class DrainPrinter:
    """Prints what waits for one printer. A run takes its turn and one slow print: well within its lease."""

    outside: Outside
    kind: str = actions.DRAIN
    lease_s: float = 60.0
    max_attempts: int = 5
    concurrency: int = 4

    def do(self, run: Run) -> None:
        printer_id = int(run.job.key)
        clock = run.work.clock
        ends_at_s = clock.monotonic_s() + min(TURN_S, self.lease_s / 3)
        outcome = ""
        while outcome != "offline" and clock.monotonic_s() < ends_at_s:
            task = run.work.run(lambda tx: _take_head(tx, printer_id))
            if task is None:
                break
            outcome = self._print(run, task)
        delay_s = OFFLINE_RETRY_S if outcome == "offline" else 0.0
        run.work.run(lambda tx: _close(tx, run, printer_id, delay_s=delay_s))

    def give_up(self, tx: Tx, job: Claimed) -> None:
        """A queue is never given up; the print that kills every run is."""
        head = store.next_print(tx.conn, int(job.key))
        if head is not None and head.state == "printing":
            store.settle_print(tx.conn, head.id, state="failed", said=RUN_DIED)
            tx.emit(PrintFailed(shop_id=head.shop_id, parcel_id=head.parcel_id, print_id=head.id, reason=RUN_DIED))
        tx.enqueue(actions.drain(int(job.key), delay_s=OFFLINE_RETRY_S))

    def _print(self, run: Run, task: Task) -> str:
        """Send the label, or ask how it is getting on; the outcome."""
        said = self._send(task)
        run.work.run(lambda tx: _settle(tx, task, said))
        if said.answer.outcome == "accepted":
            time.sleep(PROGRESS_S)  # a printer has no signal to give
        return said.answer.outcome

    def _send(self, task: Task) -> Said:
        driver, address, job = _driver(self.outside, task.printer), task.printer.address, task.print.device_job
        try:
            asked = driver.ask_progress(address, job) if job else None
            if asked is not None:
                return Said(driver.read_progress(self.outside.exchange.send(asked)), task.print.said)
            ask, note = self._draw(driver, task)
        except (Unavailable, Unreadable) as error:
            return Said(PrintAnswer("offline", error.sentence, job), task.print.said)
        except Invalid as error:
            return Said(PrintAnswer("refused", error.sentence))
        return Said(_sent(self.outside, driver, ask), note)

    def _draw(self, driver: PrinterDriver, task: Task) -> tuple[Ask, str]:
        """Raises `Invalid` for a label that nobody can draw."""
        format, printer = driver.formats[0], task.printer
        document, note = paper.render_label(
            task.label, self.outside.networks, format=format, dpi=printer.dpi, fit=printer.scheme != "folder"
        )
        title = f"waystream-{task.print.parcel_id}-{task.print.id}"
        return driver.ask_print(printer.address, title=title, format=format, document=document), note


@dataclass(frozen=True, slots=True)
class TryPrinter:
    """Prints one test page, once; what came of it is what the printer's row says."""

    outside: Outside
    kind: str = actions.TRY
    lease_s: float = 60.0
    max_attempts: int = 2
    concurrency: int = 2

    def do(self, run: Run) -> None:
        with run.work.begin(read_only=True) as tx:
            printer = store.find_printer(tx.conn, int(run.job.key))
        if printer is None:
            return
        driver = _driver(self.outside, printer)
        document = paper.render(paper.draw_trial(printer), driver.formats[0], dpi=printer.dpi)
        ask = driver.ask_print(
            printer.address, title=f"waystream-test-{printer.id}", format=driver.formats[0], document=document
        )
        answer = _sent(self.outside, driver, ask)
        run.work.run(lambda tx: _close_trial(tx, run, printer, answer))

    def give_up(self, tx: Tx, job: Claimed) -> None:
        """The page is missing; whoever asked for it asks again."""


def _driver(outside: Outside, printer: Printer) -> PrinterDriver:
    return outside.drivers[printer.scheme]


def _sent(outside: Outside, driver: PrinterDriver, ask: Ask) -> PrintAnswer:
    try:
        return driver.read_print(outside.exchange.send(ask))
    except (Unavailable, Unreadable, Invalid) as error:
        return PrintAnswer("offline", error.sentence)


def _take_head(tx: Tx, printer_id: int) -> Task | None:
    """Claim the head of the queue; prints whose label died meanwhile leave it: nothing is printed for a dead number."""
    printer = store.find_printer(tx.conn, printer_id)
    if printer is None or printer.disabled:
        return None
    while (head := store.next_print(tx.conn, printer_id)) is not None:
        if store.lock_label(tx.conn, head.label_id):
            store.set_printing(tx.conn, head.id)
            return Task(printer, head, actions.open_label(tx, head.label_id, size=printer.label_size))
        said = MAYBE_ON_PAPER if head.state == "printing" else ""
        store.settle_print(tx.conn, head.id, state="voided", said=said, job=head.device_job)
    return None


def _settle(tx: Tx, task: Task, said: Said) -> None:
    answer, head = said.answer, task.print
    state = _state_after(answer)
    if state in ("printed", "queued") and not store.lock_label(tx.conn, head.label_id):
        said = Said(answer, DESTROY_PAPER if state == "printed" else MAYBE_ON_PAPER)
        state = "voided"
    _note_printer(tx, task.printer, answer)

    words = answer.reason if state == "failed" else said.note
    at = tx.now if answer.outcome == "printed" else None
    if not store.settle_print(tx.conn, head.id, state=state, said=words, job=answer.job, at=at):
        return

    if state == "printed":
        tx.emit(LabelPrinted(shop_id=head.shop_id, parcel_id=head.parcel_id, print_id=head.id))
    elif state == "failed":
        tx.emit(PrintFailed(shop_id=head.shop_id, parcel_id=head.parcel_id, print_id=head.id, reason=words))


def _state_after(answer: PrintAnswer) -> State:
    """A printer that stopped with our job keeps it; otherwise the label waits here to be sent again."""
    if answer.outcome == "offline":
        return "printing" if answer.job else "queued"
    states: dict[str, State] = {"printed": "printed", "refused": "failed", "accepted": "printing"}
    return states[answer.outcome]


def _note_printer(tx: Tx, printer: Printer, answer: PrintAnswer) -> None:
    offline = answer.outcome == "offline"
    said = answer.reason if offline else ""
    store.saw_printer(tx.conn, printer.id, state="offline" if offline else "ready", said=said, at=tx.now)


def _close(tx: Tx, run: Run, printer_id: int, *, delay_s: float) -> None:
    """Finish; under the printer's lock, so that a print queued meanwhile finds or gets its own job."""
    store.lock_printers(tx.conn, [printer_id])
    run.finish(tx)
    printer = store.find_printer(tx.conn, printer_id)
    if printer is not None and printer.waiting and not printer.disabled:
        tx.enqueue(actions.drain(printer_id, delay_s=delay_s))


def _close_trial(tx: Tx, run: Run, printer: Printer, answer: PrintAnswer) -> None:
    failed = answer.outcome in ("offline", "refused")
    said = answer.reason if failed else ""
    store.saw_printer(tx.conn, printer.id, state="offline" if failed else "ready", said=said, at=tx.now)
    run.finish(tx)


def handlers(outside: Outside) -> tuple[Handler, ...]:
    return (DrainPrinter(outside), TryPrinter(outside))


SWEEPS: tuple[Sweep, ...] = (Sweep("printer_queues", WAKE_S, actions.wake_queues),)
