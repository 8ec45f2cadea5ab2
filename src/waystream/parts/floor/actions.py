"""What the floor does: printers are kept, labels queued, voided, drawn."""

from collections.abc import Mapping, Sequence

from waystream.core.errors import Conflict, Missing
from waystream.core.label import Drawing
from waystream.core.ports import Network
from waystream.kernel.audit import Entry
from waystream.kernel.jobs import Job
from waystream.kernel.tx import Tx
from waystream.kernel.vault import open_sealed
from waystream.parts.floor import draw, label, store
from waystream.parts.floor.model import LabelRow, Print, Printer, PrinterIn, checked_printer

DRAIN = "drain_printer"


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

    tx.enqueue(_drain(printer_id))
    tx.note(Entry(actor, "printer.change", f"printer:{printer_id}"))


def switch_printer(tx: Tx, printer_id: int, *, on: bool, actor: str) -> None:
    """A printer that is switched off keeps its queue; switched on again it goes on."""
    if not store.set_disabled(tx.conn, printer_id, at=None if on else tx.now):
        raise Missing("There is no such printer.")

    if on:
        tx.enqueue(_drain(printer_id))
    tx.note(Entry(actor, "printer.on" if on else "printer.off", f"printer:{printer_id}"))


def _refuse_taken(tx: Tx, name: str, *, but: int = 0) -> None:
    if store.name_taken(tx.conn, name, but=but):
        raise Conflict(f"There is a printer named {name} already.", path="name")


def list_printers(tx: Tx) -> list[Printer]:
    return store.list_printers(tx.conn)


def list_queue(tx: Tx, printer_id: int, limit: int = 100) -> list[Print]:
    return store.list_queue(tx.conn, printer_id, limit)


def list_prints(tx: Tx, parcel_id: int) -> list[Print]:
    return store.list_prints(tx.conn, parcel_id)


def print_parcels(tx: Tx, parcel_ids: Sequence[int], *, reason: str = "", reprint: bool = False) -> list[int]:
    """Queue the live labels of these parcels on their warehouses' printers; ids of the new prints.

    A first print is queued once, however often it is asked. Parcels whose warehouse has no printer are left out:
    their labels are fetched as files.
    """
    wanted = store.printers_of(tx.conn, parcel_ids)
    printers = sorted({printer for _, printer in wanted})

    store.lock_printers(tx.conn, printers)
    queued = store.insert_prints(tx.conn, wanted, reason=reason, reprint=reprint, at=tx.now)

    tx.enqueue(*(_drain(printer) for printer in printers))
    return queued


def reprint(tx: Tx, parcel_id: int, *, reason: str, actor: str) -> int:
    """Print a parcel's live label once more; `Conflict` when there is nothing to print or nowhere."""
    queued = print_parcels(tx, [parcel_id], reason=reason, reprint=True)
    if not queued:
        raise Conflict("This parcel has no live label, or its warehouse has no printer.")

    tx.note(Entry(actor, "label.reprint", f"parcel:{parcel_id}", reason=reason))
    return queued[0]


def void_prints(tx: Tx, label_ids: Sequence[int]) -> int:
    """Take voided labels out of the queues; how many were still waiting."""
    return store.void_prints(tx.conn, label_ids)


def get_label(tx: Tx, parcel_id: int) -> LabelRow:
    """The live label of a parcel, or `Missing`."""
    label_id = store.live_label(tx.conn, parcel_id)
    row = store.find_label(tx.conn, label_id) if label_id is not None else None
    if row is None:
        raise Missing("This parcel has no label.")
    return row


def drawing_of(tx: Tx, row: LabelRow, networks: Mapping[str, Network]) -> Drawing:
    """The carrier's own label where it gave one, else ours."""
    if not row.from_carrier:
        return label.own_label(row.facts, row.size)
    key = tx.keys.load(tx.conn, [row.key_id])[row.key_id]
    template = open_sealed(key, row.sealed, aad=f"label:{row.id}".encode())
    return networks[row.network].draw_template(template.decode())


def rendered(drawing: Drawing, format: str, *, dpi: int = 203) -> bytes:
    """A drawing as pdf, png or zpl."""
    if format == "pdf":
        return draw.draw_pdf(drawing)
    return draw.draw_png(drawing, dpi=dpi) if format == "png" else draw.draw_zpl(drawing, dpi=dpi)


def _drain(printer_id: int) -> Job:
    return Job(DRAIN, 0, str(printer_id), f"printer:{printer_id}")
