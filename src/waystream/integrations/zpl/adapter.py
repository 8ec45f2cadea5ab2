"""Raw ZPL on port 9100: the whole label is in the bytes, and the printer answers nothing.

Printed means that the printer took every byte and closed in order; anything else is `Unavailable` from the exchange.
"""

from urllib.parse import urlsplit

from waystream.core.ports import PrintAnswer, PrinterAddress, Reply, SocketAsk


class Zpl:
    """A `core.ports.PrinterDriver` for socket://host:9100."""

    scheme = "socket"
    formats: tuple[str, ...] = ("zpl",)

    def ask_print(self, printer: PrinterAddress, *, title: str, format: str, document: bytes) -> SocketAsk:
        parts = urlsplit(printer.uri)
        assert parts.hostname, "a printer's address is checked when it is saved"
        return SocketAsk(parts.hostname, parts.port or 9100, document)

    def read_print(self, reply: Reply) -> PrintAnswer:
        return PrintAnswer("printed")

    def ask_progress(self, printer: PrinterAddress, job: str) -> None:
        return None

    def read_progress(self, reply: Reply) -> PrintAnswer:
        return PrintAnswer("printed")


driver = Zpl()
