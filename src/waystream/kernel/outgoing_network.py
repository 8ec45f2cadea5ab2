"""How outgoing connections are made: the address is looked up once, checked, and that very address is connected to.

Guaranteed: an untrusted target that has any address that is not public is not connected to (a name that changes its
mind between check and connect gains nothing), and a call ends by its deadline however slowly the other side drips.
"""

import ipaddress
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import httpcore

from waystream.core.errors import Invalid

NAT64 = ipaddress.ip_network("64:ff9b::/96")

SocketOptions = Iterable[Any]


class Deadline(threading.local):
    """The end of the call this thread is making, in monotonic seconds."""

    at = float("inf")

    @contextmanager
    def within(self, timeout_s: float) -> Iterator[None]:
        self.at = time.monotonic() + timeout_s
        try:
            yield
        finally:
            self.at = float("inf")

    def left_s(self, timeout_s: float | None) -> float:
        """What is left of a step's own time-out; never zero, which would mean not to block at all."""
        left = self.at - time.monotonic()
        return max(0.001, left if timeout_s is None else min(timeout_s, left))

    @property
    def passed(self) -> bool:
        return time.monotonic() >= self.at


class CheckedNetwork(httpcore.NetworkBackend):
    """httpcore's own network with our choice of address and our deadline. `may_reach` judges a host by name."""

    def __init__(self, deadline: Deadline, may_be_private: Callable[[str], bool]) -> None:
        self._plain = httpcore.SyncBackend()
        self._deadline = deadline
        self._may_be_private = may_be_private

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: SocketOptions | None = None,
    ) -> httpcore.NetworkStream:
        try:
            address = choose_address(host, port, may_be_private=self._may_be_private(host))
        except (OSError, UnicodeError) as error:  # a name that is none is a UnicodeError
            raise httpcore.ConnectError(str(error)) from None
        left_s = self._deadline.left_s(timeout)
        stream = self._plain.connect_tcp(address, port, left_s, local_address, socket_options)
        return TimedStream(stream, self._deadline)

    def sleep(self, seconds: float) -> None:
        self._plain.sleep(seconds)


class TimedStream(httpcore.NetworkStream):
    """A stream whose every step ends by the call's deadline."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: Deadline) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        if self._deadline.passed:
            raise httpcore.ReadTimeout("deadline")
        return self._stream.read(max_bytes, self._deadline.left_s(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        if self._deadline.passed:
            raise httpcore.WriteTimeout("deadline")
        self._stream.write(buffer, self._deadline.left_s(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        stream = self._stream.start_tls(ssl_context, server_hostname, self._deadline.left_s(timeout))
        return TimedStream(stream, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def choose_address(host: str, port: int, *, may_be_private: bool) -> str:
    """The address to connect to. Raises `Invalid` if a target that must be public has one that is not."""
    answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = [str(answer[4][0]) for answer in answers]
    if not may_be_private and not all(map(is_public, addresses)):
        raise Invalid("url", f"{host} is an address of a private network: only public addresses are called")
    return addresses[0]


def is_public(address: str) -> bool:
    """Whether an address is one of the open internet, also where an IPv4 address is wrapped in an IPv6 one."""
    ip = ipaddress.ip_address(address.split("%", 1)[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF) if ip in NAT64 else None)
        if inner is not None:
            return is_public(str(inner))
    return ip.is_global and not ip.is_multicast
