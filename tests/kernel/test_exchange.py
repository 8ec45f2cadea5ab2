"""The way out on real sockets: what arrives, what a failure says about our bytes, and where it never goes."""

import os
import socket
import struct
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kernel.wire_server import answering, hear_request, reply, serve
from waystream.core.errors import Invalid, Unavailable, Unreadable
from waystream.core.ports import FileAsk, HttpAsk, SocketAsk
from waystream.kernel.exchange import Exchange
from waystream.kernel.outgoing_network import is_public


@pytest.fixture
def exchange() -> Iterator[Exchange]:
    with Exchange() as exchange:
        yield exchange


def ask(url: str, *, body: bytes = b"", timeout_s: float = 5.0, trusted: bool = True) -> HttpAsk:
    return HttpAsk("POST", url, (("X-One", "1"),), body, timeout_s, trusted)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def test_bytes_go_and_come_as_they_are(exchange: Exchange) -> None:
    heard: list[bytes] = []

    def talk(connection: socket.socket) -> None:
        heard.append(hear_request(connection))
        connection.sendall(reply("418 Teapot", "茶".encode(), "X-Two: 2"))

    with serve(talk) as server:
        got = exchange.send(ask(server.url, body=b"\x00\xff"))
    head, body = heard[0].split(b"\r\n\r\n", 1)
    assert head.startswith(b"POST /path?q=1 HTTP/1.1\r\n")
    assert b"X-One: 1" in head
    assert b"User-Agent: waystream" in head
    assert body == b"\x00\xff"
    assert (got.status, got.body) == (418, "茶".encode())
    assert ("x-two", "2") in got.headers


def test_connections_are_kept(exchange: Exchange) -> None:
    with serve(answering(reply(), reply(), reply())) as server:
        for _ in range(3):
            exchange.send(ask(server.url))
        assert server.connections == 1


def test_a_redirect_is_an_answer_not_an_order(exchange: Exchange) -> None:
    with serve(answering(reply("302 Found", b"", "Location: http://127.0.0.1:1/"))) as server:
        assert exchange.send(ask(server.url)).status == 302


def test_nobody_listening_means_not_sent(exchange: Exchange) -> None:
    with pytest.raises(Unavailable) as failed:
        exchange.send(ask(f"http://127.0.0.1:{free_port()}/"))
    assert not failed.value.sent


def test_an_unknown_host_means_not_sent(exchange: Exchange) -> None:
    with pytest.raises(Unavailable) as failed:
        exchange.send(ask("http://no-such-host.invalid/"))
    assert not failed.value.sent


def hang_up(connection: socket.socket) -> None:
    hear_request(connection)


def reset(connection: socket.socket) -> None:
    hear_request(connection)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def cut_short(connection: socket.socket) -> None:
    hear_request(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")


def babble(connection: socket.socket) -> None:
    hear_request(connection)
    connection.sendall(b"this is no HTTP\r\n\r\n")


@pytest.mark.parametrize("talk", [hang_up, reset, cut_short, babble])
def test_a_failure_after_the_request_may_have_been_sent(exchange: Exchange, talk: object) -> None:
    with serve(talk) as server, pytest.raises(Unavailable) as failed:  # type: ignore[arg-type]
        exchange.send(ask(server.url))
    assert failed.value.sent


def test_silence_ends_at_the_time_out(exchange: Exchange) -> None:
    over = threading.Event()

    def talk(connection: socket.socket) -> None:
        hear_request(connection)
        over.wait(5)

    began = time.monotonic()
    with serve(talk) as server:
        with pytest.raises(Unavailable) as failed:
            exchange.send(ask(server.url, timeout_s=0.2))
        over.set()
    assert failed.value.sent
    assert time.monotonic() - began < 2


def test_a_dripping_answer_ends_at_the_time_out(exchange: Exchange) -> None:
    """Each step is quick, the whole never ends: the time-out is of the whole."""
    over = threading.Event()

    def talk(connection: socket.socket) -> None:
        hear_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        while not over.wait(0.02):
            connection.sendall(b".")

    began = time.monotonic()
    with serve(talk) as server:
        with pytest.raises(Unavailable) as failed:
            exchange.send(ask(server.url, timeout_s=0.3))
        over.set()
    assert failed.value.sent
    assert time.monotonic() - began < 2


@pytest.mark.parametrize(("size", "fits"), [(4 * 1024 * 1024, True), (4 * 1024 * 1024 + 1, False)])
def test_a_reply_has_a_limit(exchange: Exchange, size: int, fits: bool) -> None:
    with serve(answering(reply(body=b"x" * size))) as server:
        if fits:
            assert len(exchange.send(ask(server.url)).body) == size
        else:
            with pytest.raises(Unreadable, match="4 MB"):
                exchange.send(ask(server.url))


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "[::1]", "10.0.0.1", "169.254.169.254", "[::ffff:10.0.0.1]"]
)
def test_an_untrusted_ask_never_reaches_a_private_address(exchange: Exchange, host: str) -> None:
    with serve(answering(reply())) as server:
        with pytest.raises(Invalid, match="private network"):
            exchange.send(ask(f"http://{host}:{server.port}/", trusted=False))
        assert server.connections == 0


def test_a_connection_made_for_a_trusted_ask_is_not_lent() -> None:
    with serve(answering(reply(), reply())) as server, Exchange() as exchange:
        exchange.send(ask(server.url))
        with pytest.raises(Invalid, match="private network"):
            exchange.send(ask(server.url, trusted=False))


def test_the_operator_may_allow_a_private_host() -> None:
    with serve(answering(reply())) as server, Exchange(lambda host: host == "127.0.0.1") as exchange:
        assert exchange.send(ask(server.url, trusted=False)).status == 200


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True),
        ("2606:4700::1111", True),
        ("0.0.0.0", False),
        ("100.64.0.1", False),
        ("192.168.1.1", False),
        ("172.16.0.1", False),
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("::", False),
        ("fe80::1%eth0", False),
        ("fc00::1", False),
        ("64:ff9b::a00:1", False),
        ("2002:a00:1::", False),
        ("::ffff:8.8.8.8", True),
    ],
)
def test_which_addresses_are_public(address: str, public: bool) -> None:
    assert is_public(address) is public


@pytest.mark.parametrize(
    "url", ["", "ftp://a/", "file:///etc/passwd", "http://", "http://u:p@a/", "http://a:99999/", "http://汉.cn/", "//a"]
)
def test_a_bad_address_is_invalid(exchange: Exchange, url: str) -> None:
    with pytest.raises(Invalid):
        exchange.send(ask(url))


def test_a_header_cannot_smuggle(exchange: Exchange) -> None:
    with pytest.raises(Invalid, match="line break"):
        exchange.send(HttpAsk("GET", "http://127.0.0.1:1/", (("X", "1\r\nY: 2"),), trusted=True))


def test_a_printer_takes_everything(exchange: Exchange) -> None:
    taken = bytearray()

    def talk(connection: socket.socket) -> None:
        while piece := connection.recv(65536):
            taken.extend(piece)

    label = os.urandom(1_000_000)
    with serve(talk) as server:
        assert exchange.send(SocketAsk("127.0.0.1", server.port, label)).status == 200
    assert bytes(taken) == label


def test_a_printer_that_is_off_got_nothing(exchange: Exchange) -> None:
    with pytest.raises(Unavailable) as failed:
        exchange.send(SocketAsk("127.0.0.1", free_port(), b"^XA^XZ"))
    assert not failed.value.sent


def test_a_printer_that_stops_listening_is_in_doubt(exchange: Exchange) -> None:
    over = threading.Event()
    with serve(lambda connection: over.wait(5) and None) as server:
        with pytest.raises(Unavailable) as failed:
            exchange.send(SocketAsk("127.0.0.1", server.port, bytes(20_000_000), timeout_s=0.3))
        over.set()
    assert failed.value.sent


def test_a_file_appears_whole(exchange: Exchange, tmp_path: Path) -> None:
    folder = tmp_path / "labels" / "today"
    exchange.send(FileAsk(folder, "面单.pdf", b"one"))
    exchange.send(FileAsk(folder, "面单.pdf", b"two"))

    assert [path.name for path in folder.iterdir()] == ["面单.pdf"]
    assert (folder / "面单.pdf").read_bytes() == b"two"


@pytest.mark.parametrize("name", ["", ".", "..", "../x", "a/b", "/etc/x", "a\0b", "a\\b"])
def test_a_file_stays_in_its_folder(exchange: Exchange, tmp_path: Path, name: str) -> None:
    with pytest.raises(Invalid):
        exchange.send(FileAsk(tmp_path, name, b""))
    assert list(tmp_path.iterdir()) == []


def test_a_link_in_the_place_of_a_file_is_replaced_not_followed(exchange: Exchange, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_bytes(b"kept")
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "label").symlink_to(outside)

    exchange.send(FileAsk(folder, "label", b"new"))
    assert outside.read_bytes() == b"kept"
    assert (folder / "label").read_bytes() == b"new"


def test_a_folder_that_cannot_be_written_is_unavailable(exchange: Exchange, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(Unavailable, match="cannot be written"):
        exchange.send(FileAsk(tmp_path / "file", "label", b""))
