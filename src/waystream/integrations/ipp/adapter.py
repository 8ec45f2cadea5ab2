"""IPP as pure bytes: a Print-Job and its progress. Only `kernel.exchange` talks to the printer.

Printed means that the printer said "completed", not that it took the bytes. Refused is only what concerns this one
document; a printer that is set up wrongly is offline, so that its queue waits instead of failing label by label.
Status and state numbers are RFC 8011's.
"""

import struct
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from pyipp import parser, serializer
from pyipp.enums import IppOperation
from pyipp.exceptions import IPPParseError

from waystream.core.errors import Unavailable, Unreadable
from waystream.core.ports import HttpAsk, PrintAnswer, PrinterAddress, Reply

_MIME = {"pdf": "application/pdf", "png": "image/png"}
_HEADERS = (("Content-Type", "application/ipp"), ("Accept", "application/ipp"))
_TIMEOUT_S = 10.0
_OK_BELOW = 0x0100
_NOT_FOUND = 0x0406
_DOCUMENT_FAULTS = {
    0x0408: "the label is too large for the printer",
    0x0410: "the printer cannot unpack the label",
    0x0411: "the printer cannot read the label",
    0x0412: "the printer cannot get the label",
    0x041A: "the printer cannot print the label",
    0x0508: "the job was cancelled at the printer",
}
_PRINTER_FAULTS = {
    0x0401: "forbids printing",
    0x0402: "asks for a sign-in",
    0x0403: "does not allow us to print",
    _NOT_FOUND: "does not know this address",
    0x040A: "takes no PDF",
    0x0502: "is out of service",
    0x0503: "speaks another version of IPP",
    0x0505: "has a passing error",
    0x0506: "takes no jobs just now",
    0x0507: "is busy",
}
_PENDING, _HELD, _PROCESSING, _STOPPED, _COMPLETED = 3, 4, 5, 6, 9


def _http(uri: str) -> str:
    parts = urlsplit(uri)
    scheme = "https" if parts.scheme == "ipps" else "http"
    assert parts.hostname, "a printer's address is checked when it is saved"
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return urlunsplit((scheme, f"{host}:{parts.port or 631}", parts.path or "/ipp/print", "", ""))


def _message(operation: IppOperation, uri: str, attributes: dict[str, Any], document: bytes = b"") -> bytes:
    return bytes(
        serializer.encode_dict(
            {
                "version": (2, 0),
                "operation": operation,
                "request-id": 1,
                "operation-attributes-tag": {
                    "attributes-charset": "utf-8",
                    "attributes-natural-language": "en",
                    "printer-uri": uri,
                    **attributes,
                },
                "data": document,
            }
        )
    )


def _read(reply: Reply) -> dict[str, Any]:
    if reply.status != 200:
        raise Unavailable(f"The printer answered HTTP {reply.status}.", retry_after_s=10)
    try:
        message = dict(parser.parse(reply.body))
        return message | {"status-code": int(message["status-code"])}
    except (IPPParseError, struct.error, LookupError, ValueError, TypeError) as error:
        raise Unreadable("The printer's answer is not IPP.") from error


class Ipp:
    """A `core.ports.PrinterDriver` for ipp:// and ipps:// addresses."""

    scheme = "ipp"
    formats: tuple[str, ...] = ("pdf",)

    def ask_print(self, printer: PrinterAddress, *, title: str, format: str, document: bytes) -> HttpAsk:
        body = _message(
            IppOperation.PRINT_JOB,
            printer.uri,
            {
                "requesting-user-name": "waystream",
                "job-name": title[:120],
                "document-format": _MIME[format],
            },
            document,
        )
        return HttpAsk("POST", _http(printer.uri), _HEADERS, body, _TIMEOUT_S, trusted=True)

    def read_print(self, reply: Reply) -> PrintAnswer:
        message = _read(reply)
        status = message["status-code"]
        if status in _DOCUMENT_FAULTS:
            return PrintAnswer("refused", f"IPP 0x{status:04x}: {_DOCUMENT_FAULTS[status]}.")
        if status >= _OK_BELOW:
            return PrintAnswer("offline", f"The printer {_PRINTER_FAULTS.get(status, 'refuses')} (IPP 0x{status:04x}).")
        return _state_of(message)

    def ask_progress(self, printer: PrinterAddress, job: str) -> HttpAsk:
        body = _message(
            IppOperation.GET_JOB_ATTRIBUTES,
            printer.uri,
            {
                "job-id": int(job),
                "requesting-user-name": "waystream",
                "requested-attributes": ["job-id", "job-state", "job-state-reasons"],
            },
        )
        return HttpAsk("POST", _http(printer.uri), _HEADERS, body, _TIMEOUT_S, trusted=True)

    def read_progress(self, reply: Reply) -> PrintAnswer:
        """A printer that lost the job, switched off in between, gets it again."""
        message = _read(reply)
        status = message["status-code"]
        if status == _NOT_FOUND:
            return PrintAnswer("offline", "The printer lost the job and gets it again.")
        if status >= _OK_BELOW:
            raise Unavailable(f"The printer {_PRINTER_FAULTS.get(status, 'refuses')} (IPP 0x{status:04x}).")
        return _state_of(message)


def _state_of(message: dict[str, Any]) -> PrintAnswer:
    job = message["jobs"][0] if message.get("jobs") else {}
    number = str(job.get("job-id", ""))
    state = int(job.get("job-state", _PENDING))
    told = job.get("job-state-reasons", "")
    reasons = told if isinstance(told, list) else [str(told)]
    said = ", ".join(map(str, reasons))
    if state == _COMPLETED:
        return PrintAnswer("printed", said, number)
    if state == _STOPPED or "printer-stopped" in reasons:
        return PrintAnswer("offline", said, number)
    return PrintAnswer("accepted" if state in (_PENDING, _HELD, _PROCESSING) else "refused", said, number)


driver = Ipp()
