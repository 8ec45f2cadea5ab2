"""Labels as PDF files in a folder; a file appears whole or not at all (`kernel.exchange` renames it into place)."""

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from waystream.core.ports import FileAsk, PrintAnswer, PrinterAddress, Reply

_UNSAFE = re.compile(r"[^A-Za-z0-9_-]+")


class Folder:
    """A `core.ports.PrinterDriver` for folder:///path."""

    scheme = "folder"
    formats: tuple[str, ...] = ("pdf", "png", "zpl")

    def ask_print(self, printer: PrinterAddress, *, title: str, format: str, document: bytes) -> FileAsk:
        name = _UNSAFE.sub("-", title).strip("-")[:100] or "label"
        return FileAsk(Path(unquote(urlsplit(printer.uri).path)), f"{name}.{format}", document)

    def read_print(self, reply: Reply) -> PrintAnswer:
        return PrintAnswer("printed")

    def ask_progress(self, printer: PrinterAddress, job: str) -> None:
        return None

    def read_progress(self, reply: Reply) -> PrintAnswer:
        return PrintAnswer("printed")


driver = Folder()
