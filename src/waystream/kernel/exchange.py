"""The only way out: HTTP, mail, raw sockets and files, one `Ask` in and one `Reply` back.

Guaranteed: a call ends within its time-out, a reply is at most 4 MB, redirects are not followed, and a failure says
whether our bytes may have arrived. An untrusted target is never a private address (`outgoing_network`). What the
bytes mean is the business of the integrations, which never see this module.
"""

import fcntl
import socket
import ssl
import struct
import termios
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import httpcore

from waystream.core.errors import Invalid, Unavailable, Unreadable
from waystream.core.ports import Ask, FileAsk, HttpAsk, MailAsk, Reply, SocketAsk
from waystream.kernel.files import write_whole
from waystream.kernel.lanes import Lanes
from waystream.kernel.mailing import send_mail
from waystream.kernel.outgoing_network import CheckedNetwork, Deadline, choose_address

REPLY_LIMIT_BYTES = 4 * 1024 * 1024
CONNECTIONS = 64
IDLE_CONNECTIONS = 16
IDLE_S = 15.0
DRAIN_STEP_S = 0.005
NOT_SENT = (httpcore.ConnectError, httpcore.ConnectTimeout, httpcore.PoolTimeout)
MAYBE_SENT = (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError)


def never_private(host: str) -> bool:
    return False


class Exchange:
    """`allow_private(host)`: hosts that untrusted asks may call though they are private (none by default).

    `speed`: business seconds in one of the machine, for the limits of lanes. `mail_tls`: whom mail servers have to be
    signed by (usually whom the machine trusts).
    """

    def __init__(
        self,
        allow_private: Callable[[str], bool] = never_private,
        *,
        speed: float = 1.0,
        mail_tls: ssl.SSLContext | None = None,
    ) -> None:
        self._lanes = Lanes(speed)
        self._deadline = Deadline()
        self._allow_private = allow_private
        self._mail_tls = mail_tls
        # Kept apart, so that an untrusted ask never finds an open connection that a trusted one made.
        self._trusted = _make_pool(CheckedNetwork(self._deadline, lambda host: True))
        self._guarded = _make_pool(CheckedNetwork(self._deadline, allow_private))

    def send(self, ask: Ask) -> Reply:
        """Raises `Unavailable` (with `sent`), `Unreadable` for too large a reply, `Invalid` for a bad target."""
        match ask:
            case HttpAsk():
                if ask.lane is not None:
                    self._lanes.enter(ask.lane, timeout_s=ask.timeout_s)
                with self._deadline.within(ask.timeout_s):
                    return self._send_http(ask)
            case SocketAsk():
                return _send_socket(ask)
            case FileAsk():
                return _send_file(ask)
            case MailAsk():
                if ask.lane is not None:
                    self._lanes.enter(ask.lane, timeout_s=ask.timeout_s)
                return self._send_mail(ask)

    def close(self) -> None:
        self._trusted.close()
        self._guarded.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _send_mail(self, ask: MailAsk) -> Reply:
        """Reading whom the machine trusts takes 20 ms, so it is done once, by whoever sends the first mail."""
        self._mail_tls = self._mail_tls or ssl.create_default_context()
        return send_mail(ask, may_be_private=self._allow_private(ask.host), context=self._mail_tls)

    def _send_http(self, ask: HttpAsk) -> Reply:
        host = _require_web_address(ask.url)
        pool = self._trusted if ask.trusted else self._guarded
        timeouts = dict.fromkeys(("connect", "read", "write", "pool"), ask.timeout_s)
        try:
            with pool.stream(
                ask.method, ask.url, headers=_headers(ask), content=ask.body, extensions={"timeout": timeouts}
            ) as response:
                body = _read_body(response, host, keep=ask.reply_bytes)
        except NOT_SENT:
            raise Unavailable(f"{host} cannot be reached", sent=False) from None
        except MAYBE_SENT as error:
            raise Unavailable(f"{host} did not answer ({type(error).__name__})", sent=True) from None
        headers = tuple((name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in response.headers)
        return Reply(response.status, headers, body)


def _make_pool(network: CheckedNetwork) -> httpcore.ConnectionPool:
    return httpcore.ConnectionPool(
        max_connections=CONNECTIONS,
        max_keepalive_connections=IDLE_CONNECTIONS,
        keepalive_expiry=IDLE_S,
        network_backend=network,
    )


def _require_web_address(url: str) -> str:
    """The host of an http or https address without a user name in it."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise Invalid("url", "is not a web address") from None
    if parts.scheme not in ("http", "https") or not host or parts.username is not None or not url.isascii():
        raise Invalid("url", "has to be a plain http:// or https:// address")
    return host


def _headers(ask: HttpAsk) -> list[tuple[str, str]]:
    named = {name.lower() for name, _ in ask.headers}
    ours = [("User-Agent", "waystream"), ("Accept-Encoding", "identity")]
    headers = [*ask.headers, *(pair for pair in ours if pair[0].lower() not in named)]
    if any(sign in text for pair in headers for text in pair for sign in "\r\n\0"):
        raise Invalid("headers", "a header may not hold a line break")
    return headers


def _read_body(response: httpcore.Response, host: str, *, keep: int | None) -> bytes:
    """The whole body, or its first `keep` bytes; the connection of a body that was not read whole is closed."""
    body = bytearray()
    for chunk in response.iter_stream():
        body += chunk
        if keep is not None and len(body) > keep:
            return bytes(body[:keep])
        if len(body) > REPLY_LIMIT_BYTES:
            raise Unreadable(f"The reply of {host} is larger than {REPLY_LIMIT_BYTES // 1024 // 1024} MB")
    return bytes(body)


def _send_socket(ask: SocketAsk) -> Reply:
    """Send everything and wait until the other side's network took it; such devices do not answer."""
    ends_at = time.monotonic() + ask.timeout_s
    try:
        address = choose_address(ask.host, ask.port, may_be_private=True)
        connection = socket.create_connection((address, ask.port), timeout=ask.timeout_s)
    except OSError:
        raise Unavailable(f"{ask.host}:{ask.port} cannot be reached", sent=False) from None
    with connection:
        try:
            connection.sendall(ask.body)
            connection.shutdown(socket.SHUT_WR)
            while _unsent_bytes(connection) and time.monotonic() < ends_at:
                time.sleep(DRAIN_STEP_S)
            taken = not _unsent_bytes(connection) and not connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        except OSError:
            taken = False
    if not taken:
        raise Unavailable(f"{ask.host}:{ask.port} did not take everything", sent=True)
    return Reply(200)


def _unsent_bytes(connection: socket.socket) -> int:
    """What the kernel still keeps because the other side has not acknowledged it."""
    count: int = struct.unpack("i", fcntl.ioctl(connection, termios.TIOCOUTQ, bytes(4)))[0]
    return count


def _send_file(ask: FileAsk) -> Reply:
    if ask.name in ("", ".", "..") or any(sign in ask.name for sign in "/\\\0"):
        raise Invalid("name", "has to be a file name without a folder")
    try:
        ask.folder.mkdir(parents=True, exist_ok=True)
        write_whole(ask.folder / ask.name, ask.body)
    except OSError as error:
        raise Unavailable(f"{ask.folder} cannot be written: {error.strerror}") from None
    return Reply(200)
