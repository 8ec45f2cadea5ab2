"""IPP as pure bytes: a Print-Job and its progress. Only `kernel.exchange` talks to the printer.

Printed means that the printer said "completed", not that it took the bytes. Status and state numbers are RFC 8011's.
"""

from typing import Any
from urllib.parse import urlsplit, urlunsplit

from pyipp import parser, serializer
from pyipp.enums import IppOperation
from pyipp.exceptions import IPPParseError

from waystream.core.errors import Unavailable, Unreadable
from waystream.core.ports import HttpAsk, PrintAnswer, PrinterAddress, Reply

_MIME = {"pdf": "application/pdf", "png": "image/png"}
_HEADERS = (("Content-Type", "application/ipp"), ("Accept", "application/ipp"))
_TIMEOUT_S = 20.0
_OK_BELOW = 0x0100
_BUSY = {0x0502, 0x0505, 0x0506, 0x0507}  # service unavailable, temporary error, not accepting jobs, busy
_PENDING, _HELD, _PROCESSING, _STOPPED, _COMPLETED = 3, 4, 5, 6, 9


def _http(uri: str) -> str:
    parts = urlsplit(uri)
    scheme = "https" if parts.scheme == "ipps" else "http"
    host = f"{parts.hostname}:{parts.port or 631}"
    return urlunsplit((scheme, host, parts.path or "/ipp/print", "", ""))


def _message(operation: IppOperation, uri: str, attributes: dict[str, Any], document: bytes = b"") -> bytes:
    return bytes(serializer.encode_dict({
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
    }))


def _read(reply: Reply) -> dict[str, Any]:
    if reply.status != 200:
        raise Unavailable(f"The printer answered HTTP {reply.status}.", retry_after_s=10)
    try:
        return dict(parser.parse(reply.body))
    except (IPPParseError, IndexError, ValueError, UnicodeDecodeError) as error:
        raise Unreadable("The printer's answer is not IPP.") from error


class Ipp:
    """A `core.ports.PrinterDriver` for ipp:// and ipps:// addresses."""

    scheme = "ipp"
    formats: tuple[str, ...] = ("pdf",)

    def ask_print(self, printer: PrinterAddress, *, title: str, format: str, document: bytes) -> HttpAsk:
        body = _message(IppOperation.PRINT_JOB, printer.uri, {
            "requesting-user-name": "waystream",
            "job-name": title[:120],
            "document-format": _MIME[format],
        }, document)
        return HttpAsk("POST", _http(printer.uri), _HEADERS, body, _TIMEOUT_S, trusted=True)

    def read_print(self, reply: Reply) -> PrintAnswer:
        message = _read(reply)
        status = int(message["status-code"])
        if status in _BUSY:
            raise Unavailable("The printer takes no jobs just now.", retry_after_s=10)
        if status >= _OK_BELOW:
            return PrintAnswer("refused", f"IPP status 0x{status:04x}")
        job = message["jobs"][0] if message.get("jobs") else {}
        return _state_of(job)

    def ask_progress(self, printer: PrinterAddress, job: str) -> HttpAsk:
        body = _message(IppOperation.GET_JOB_ATTRIBUTES, printer.uri, {
            "job-id": int(job),
            "requesting-user-name": "waystream",
            "requested-attributes": ["job-id", "job-state", "job-state-reasons"],
        })
        return HttpAsk("POST", _http(printer.uri), _HEADERS, body, _TIMEOUT_S, trusted=True)

    def read_progress(self, reply: Reply) -> PrintAnswer:
        message = _read(reply)
        if int(message["status-code"]) >= _OK_BELOW:
            return PrintAnswer("refused", "The printer no longer knows the job.")
        return _state_of(message["jobs"][0] if message.get("jobs") else {})


def _state_of(job: dict[str, Any]) -> PrintAnswer:
    number = str(job.get("job-id", ""))
    state = int(job.get("job-state", _PENDING))
    reasons = job.get("job-state-reasons", "")
    said = ", ".join(reasons) if isinstance(reasons, list) else str(reasons)
    if state == _COMPLETED:
        return PrintAnswer("printed", said, number)
    if state in (_PENDING, _HELD, _PROCESSING):
        return PrintAnswer("accepted", said, number)
    return PrintAnswer("offline" if state == _STOPPED else "refused", said, number)


driver = Ipp()
