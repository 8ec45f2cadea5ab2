"""What the floor does: printers are kept and tried, labels queued, voided, opened to be drawn.

Drawing a label is `paper`; the printing itself is `jobs`.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace

from waystream.core import account as accounts
from waystream.core.errors import Conflict, Invalid, Missing, Unreadable
from waystream.core.events.fulfilment import PrintFailed
from waystream.kernel.audit import Entry
from waystream.kernel.jobs import Job
from waystream.kernel.tx import Tx
from waystream.kernel.vault import open_sealed
from waystream.parts.floor import store
from waystream.parts.floor.model import (
    RESTORED,
    Label,
    LabelRow,
    Print,
    Printer,
    PrinterIn,
    Size,
    checked_printer,
    label_facts,
    service_words,
)

DRAIN, TRY = "drain_printer", "try_printer"


def add_printer(tx: Tx, printer: PrinterIn, *, actor: str) -> int:
    """A new printer's id; `Conflict` when the name is taken."""
    checked_printer(printer)
    _refuse_taken(tx, printer.name)

    printer_id = store.insert_printer(tx.conn, printer)

    tx.note(Entry(actor, "printer.add", f"printer:{printer_id}"))
    return printer_id


def change_printer(tx: Tx, printer_id: int, printer: PrinterIn, *, actor: str) -> None:
    checked_printer(printer)
    _refuse_taken(tx, printer.name, but=printer_id)

    if not store.update_printer(tx.conn, printer_id, printer):
        raise Missing("There is no such printer.")

    tx.enqueue(drain(printer_id))
    tx.note(Entry(actor, "printer.change", f"printer:{printer_id}"))


def switch_printer(tx: Tx, printer_id: int, *, on: bool, actor: str) -> None:
    """A printer that is switched off keeps its queue; switched on again it goes on."""
    if not store.set_disabled(tx.conn, printer_id, at=None if on else tx.now):
        raise Missing("There is no such printer.")

    if on:
        tx.enqueue(drain(printer_id))
    tx.note(Entry(actor, "printer.on" if on else "printer.off", f"printer:{printer_id}"))


def remove_printer(tx: Tx, printer_id: int, *, actor: str) -> None:
    """Only one that printed nothing yet; one with a history is switched off."""
    get_printer(tx, printer_id)

    if not store.delete_printer(tx.conn, printer_id):
        raise Conflict("A warehouse prints here, or labels were printed here: switch the printer off instead.")

    tx.note(Entry(actor, "printer.remove", f"printer:{printer_id}"))


def fail_after_restore(tx: Tx) -> int:
    """The database came back to an earlier moment: whether a waiting label is on paper by now, a person has to look.
    How many."""
    failed = store.fail_waiting(tx.conn, said=RESTORED)
    for print_id, shop_id, parcel_id in failed:
        tx.emit(PrintFailed(shop_id=shop_id, parcel_id=parcel_id, print_id=print_id, reason=RESTORED))
    return len(failed)


def move_queue(tx: Tx, printer_id: int, *, to: int, actor: str) -> int:
    """A printer is broken: another prints what waits for it, in the same order. How many moved."""
    if printer_id == to:
        raise Invalid("to", "The labels wait for this printer already.")
    get_printer(tx, printer_id)
    get_printer(tx, to)
    store.lock_printers(tx.conn, [printer_id, to])

    moved = store.move_prints(tx.conn, printer_id, to=to)

    tx.enqueue(drain(to))
    tx.note(Entry(actor, "printer.move_queue", f"printer:{printer_id}", detail={"to": to, "prints": moved}))
    return moved


def try_printer(tx: Tx, printer_id: int, *, actor: str) -> None:
    """Print a test page, also on a printer that is switched off; how it went is its state and what it said."""
    get_printer(tx, printer_id)
    tx.enqueue(Job(TRY, 0, str(printer_id), f"printer:{printer_id}"))
    tx.note(Entry(actor, "printer.try", f"printer:{printer_id}"))


def _refuse_taken(tx: Tx, name: str, *, but: int = 0) -> None:
    if store.name_taken(tx.conn, name, but=but):
        raise Conflict(f"There is a printer named {name} already.", path="name")


def get_printer(tx: Tx, printer_id: int) -> Printer:
    printer = store.find_printer(tx.conn, printer_id)
    if printer is None:
        raise Missing("There is no such printer.")
    return printer


def list_printers(tx: Tx) -> list[Printer]:
    return store.list_printers(tx.conn)


def list_queue(tx: Tx, printer_id: int, limit: int = 100) -> list[Print]:
    """What waits for a printer, in the order it will come out."""
    return store.list_queue(tx.conn, printer_id, limit)


def list_prints(tx: Tx, parcel_id: int) -> list[Print]:
    return store.list_prints(tx.conn, parcel_id)


def list_failed(tx: Tx, *, warehouse_ids: Collection[int] | None = None, limit: int = 200) -> list[Print]:
    """Labels that did not come out and that nobody printed since, of parcels that are still here."""
    return store.list_failed(tx.conn, warehouses=None if warehouse_ids is None else sorted(warehouse_ids), limit=limit)


def print_parcels(
    tx: Tx, parcel_ids: Sequence[int], *, printer_id: int | None = None, reason: str = "", reprint: bool = False
) -> list[int]:
    """Queue the live labels of these parcels, on their warehouses' printers or on the one named; ids of the new prints.

    A first print is queued once, however often it is asked. Parcels whose warehouse has no printer are left out:
    their labels are fetched as files.
    """
    if printer_id is not None:
        get_printer(tx, printer_id)
    wanted = store.printers_of(tx.conn, parcel_ids, printer_id=printer_id)
    printers = sorted({printer for _, printer in wanted})

    store.lock_printers(tx.conn, printers)
    queued = store.insert_prints(tx.conn, wanted, reason=reason, reprint=reprint, at=tx.now)

    tx.enqueue(*(drain(printer) for printer in printers))
    return queued


def reprint(tx: Tx, parcel_id: int, *, reason: str, actor: str, printer_id: int | None = None) -> int:
    """Print a parcel's live label once more; `Conflict` when there is nothing to print or nowhere."""
    queued = print_parcels(tx, [parcel_id], printer_id=printer_id, reason=reason, reprint=True)
    if not queued:
        raise Conflict("This parcel has no live label, or its warehouse has no printer.")

    [made] = [row for row in store.list_prints(tx.conn, parcel_id) if row.id == queued[0]]
    tx.note(Entry(actor, "label.reprint", f"parcel:{parcel_id}", made.shop_id, reason))
    return made.id


def void_prints(tx: Tx, label_ids: Sequence[int]) -> int:
    """Take voided labels out of the queues; how many were still waiting."""
    return store.void_prints(tx.conn, label_ids)


def wake_queues(tx: Tx) -> int:
    """See to it that every queue has its job, whatever became of the last one; how many queues wait."""
    waiting = store.printers_waiting(tx.conn)
    tx.enqueue(*(drain(printer_id) for printer_id in waiting))
    return len(waiting)


def get_label(tx: Tx, parcel_id: int) -> Label:
    """The live label of a parcel, ready to be drawn, or `Missing`."""
    label_id = store.live_label(tx.conn, parcel_id)
    if label_id is None:
        raise Missing("This parcel has no label.")
    return open_label(tx, label_id)


def open_label(tx: Tx, label_id: int, *, size: Size | None = None) -> Label:
    """A label on the paper of its warehouse's printer, or on `size`."""
    row = store.find_label(tx.conn, label_id)
    if row is None:
        raise Missing("There is no such label.")

    row = replace(row, size=size or row.size)

    return Label(
        row.id, row.parcel_id, row.number, row.network, row.source == "carrier", _template(tx, row),
        label_facts(row, service=_service(tx, row), at=tx.now), row.size,
    )  # fmt: skip


def _template(tx: Tx, row: LabelRow) -> str:
    """The carrier's template; empty once the key of its day is destroyed."""
    key = tx.keys.load(tx.conn, [row.key_id]).get(row.key_id)
    if row.source != "carrier" or key is None:
        return ""
    try:
        return open_sealed(key, row.sealed, aad=f"label:{row.id}".encode()).decode()
    except (Unreadable, UnicodeDecodeError):
        return ""


def _service(tx: Tx, row: LabelRow) -> str:
    account = None
    if row.account_id is not None and row.parameters_sealed is not None:
        text = tx.keys.vault.open_secret(bytes(row.parameters_sealed), aad=accounts.account_aad(row.account_id))
        account = accounts.from_text(text)
    return service_words(account, declared_fen=row.declared_fen)


def drain(printer_id: int, *, delay_s: float = 0) -> Job:
    """The one job that works on a printer's queue."""
    return Job(DRAIN, 0, str(printer_id), f"printer:{printer_id}", delay_s=delay_s)
