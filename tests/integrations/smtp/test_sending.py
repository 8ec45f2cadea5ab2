"""A letter through the adapter and the exchange to a real server: taken, refused, for later, in doubt."""

import socket
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.integrations.smtp.mail_server import PASSWORD, USER, Certificates, Server, make_certificates, serving
from waystream.core.channels import Handed, Letter
from waystream.core.errors import Invalid, InvalidMany, Refused, Unavailable
from waystream.core.ports import MailAsk
from waystream.integrations.smtp.adapter import gateway
from waystream.kernel.exchange import Exchange

NOW = datetime(2026, 11, 12, 6, 32, tzinfo=UTC)
LETTER = Letter(
    id="K7Q2XRT4WS", shop="茶铺", order="A1", language="zh", template="shipped", to="buyer@example.com",
    subject="您的订单已发货", text="您好，\n.开头的点\n订单 A1 已发货。",
)  # fmt: skip


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def exchange(certificates: Certificates) -> Iterator[Exchange]:
    with Exchange(lambda host: host == "127.0.0.1", speed=1_000, mail_tls=certificates.client) as exchange:
        yield exchange


def values(server: Server, **given: str) -> dict[str, str]:
    return {"host": "127.0.0.1", "port": str(server.port), "security": "none", "sender": "service@example.com"} | given


def signed_in(server: Server, security: str, password: str = PASSWORD) -> dict[str, str]:
    return values(server, security=security, username=USER, password=password)


def send(exchange: Exchange, settings: dict[str, str], letter: Letter = LETTER) -> Handed:
    gateway.check(settings)
    ask = gateway.ask_send(settings, letter, now=NOW, report_url="")
    return gateway.read_send(exchange.send(ask))


def test_a_mail_arrives_and_its_queue_number_is_the_receipt(exchange: Exchange) -> None:
    with serving() as server:
        assert send(exchange, values(server)) == Handed("4XK2QX")
        [taken] = server.handler.taken
    assert (taken.sender, taken.recipients) == ("service@example.com", ("buyer@example.com",))
    assert taken.message["From"] == "茶铺 <service@example.com>"
    assert taken.message["Message-ID"] == "<K7Q2XRT4WS@example.com>"
    assert taken.part("plain").replace("\r\n", "\n").strip() == LETTER.text
    assert "订单 A1 已发货。" in taken.part("html")


def test_starttls_with_a_sign_in(exchange: Exchange, certificates: Certificates) -> None:
    with serving(starttls=certificates.server, auth=True) as server:
        send(exchange, signed_in(server, "starttls"))
        assert len(server.handler.taken) == 1


def test_tls_from_the_first_byte(exchange: Exchange, certificates: Certificates) -> None:
    with serving(tls=certificates.server) as server:
        send(exchange, values(server, security="tls"))
        assert len(server.handler.taken) == 1


def test_a_wrong_password_is_refused_with_what_to_mend(exchange: Exchange, certificates: Certificates) -> None:
    with serving(starttls=certificates.server, auth=True) as server:
        with pytest.raises(Refused) as refused:
            send(exchange, signed_in(server, "starttls", password="wrong"))
        assert not server.handler.taken
    assert refused.value.code == "auth 535"
    assert "app password" in gateway.mend_sentence("auth 535", "en")
    assert "授权码" in gateway.mend_sentence("auth 535", "zh-CN")


def test_a_server_that_wants_a_sign_in_says_so(exchange: Exchange, certificates: Certificates) -> None:
    with serving(starttls=certificates.server, auth=True) as server, pytest.raises(Refused) as refused:
        send(exchange, values(server, security="starttls"))
    assert refused.value.code == "sender 530"


def test_without_starttls_nothing_is_said(exchange: Exchange) -> None:
    with serving() as server:
        with pytest.raises(Refused) as refused:
            send(exchange, values(server, security="starttls"))
        assert not server.handler.taken
    assert refused.value.code == "starttls 502"


def test_a_certificate_nobody_vouches_for_ends_it(certificates: Certificates, tmp_path: Path) -> None:
    stranger = make_certificates(tmp_path)
    with (
        serving(starttls=stranger.server) as server,
        Exchange(lambda host: True, mail_tls=certificates.client) as exchange,
        pytest.raises(Refused) as refused,
    ):
        send(exchange, values(server, security="starttls"))
    assert refused.value.code == "certificate"


def test_a_certificate_of_another_host_ends_it(tmp_path: Path) -> None:
    other = make_certificates(tmp_path, name="127.0.0.2")
    with (
        serving(tls=other.server) as server,
        Exchange(lambda host: True, mail_tls=other.client) as exchange,
        pytest.raises(Refused) as refused,
    ):
        send(exchange, values(server, security="tls"))
    assert refused.value.code == "certificate"


@pytest.mark.parametrize(
    ("step", "answer", "code"),
    [
        ("rcpt", "550 5.1.1 no such user", "5.1.1"),
        ("rcpt", "550 no such user", "recipient 550"),
        ("rcpt", "554 5.7.1 blocked by policy", "5.7.1"),
        ("rcpt", "556 never heard of", "recipient 556"),
        ("mail", "553 not yours", "sender 553"),
        ("data", "554 spam", "data 554"),
    ],
)
def test_a_no_is_a_refusal(exchange: Exchange, step: str, answer: str, code: str) -> None:
    with serving() as server:
        server.handler.on[step] = answer
        with pytest.raises(Refused) as refused:
            send(exchange, values(server))
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("step", "answer", "code"),
    [
        ("rcpt", "450 4.2.0 greylisted", "recipient 450"),
        ("rcpt", "552 5.2.2 mailbox full", "5.2.2"),
        ("mail", "421 too busy", "sender 421"),
        ("data", "452 out of space", "data 452"),
    ],
)
def test_not_now_is_for_later_and_nothing_was_sent(exchange: Exchange, step: str, answer: str, code: str) -> None:
    with serving() as server:
        server.handler.on[step] = answer
        with pytest.raises(Unavailable) as later:
            send(exchange, values(server))
    assert (later.value.code, later.value.sent) == (code, False)


@pytest.mark.parametrize(("step", "in_doubt"), [("mail", False), ("rcpt", False), ("data", True)])
def test_a_connection_that_breaks_leaves_doubt_only_once_the_mail_left(
    exchange: Exchange, step: str, in_doubt: bool
) -> None:
    with serving() as server:
        server.handler.hang_up_at = step
        with pytest.raises(Unavailable) as broken:
            send(exchange, values(server))
    assert broken.value.sent is in_doubt


def test_nobody_listening_means_not_sent(exchange: Exchange) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(Unavailable) as away:
        exchange.send(MailAsk("127.0.0.1", port, "none", "a@example.com", "b@example.com", b"x"))
    assert not away.value.sent


def test_a_dripping_server_ends_at_the_deadline(exchange: Exchange) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port, ended = listening.getsockname()[1], threading.Event()

        def drip() -> None:
            line, _ = listening.accept()
            with line:
                while not ended.wait(0.05):
                    try:
                        line.sendall(b"2")
                    except OSError:
                        return

        dripping = threading.Thread(target=drip)
        dripping.start()
        with pytest.raises(Unavailable) as late:
            exchange.send(MailAsk("127.0.0.1", port, "none", "a@example.com", "b@example.com", b"x", timeout_s=0.4))
        ended.set()
        dripping.join()
    assert not late.value.sent


def test_a_private_mail_server_needs_the_operators_word() -> None:
    with serving() as server, Exchange() as exchange, pytest.raises(Invalid):
        send(exchange, values(server))


def test_an_address_that_is_none_never_leaves() -> None:
    for to in ("buyer@example.com\r\nRCPT TO:<victim@example.com>", "a@b@c.de", "买家@example.com", "", "x@localhost"):
        letter = Letter("K1", "茶铺", "A1", "zh", "shipped", to, "s", "t")
        with pytest.raises(Refused):
            gateway.ask_send({"host": "h", "port": "25", "security": "none", "sender": "s@example.com"}, letter,
                             now=NOW, report_url="")  # fmt: skip


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({"host": "mail.example.com\r\nX"}, "host"),
        ({"host": "https://mail.example.com"}, "host"),
        ({"port": "0"}, "port"),
        ({"port": "٣"}, "port"),
        ({"security": "maybe"}, "security"),
        ({"sender": "not an address"}, "sender"),
        ({"sender": ""}, "sender"),
        ({"security": "none", "username": "u", "password": "p"}, "security"),
        ({"username": "u"}, "password"),
        ({"bcc": "victim@example.com"}, "bcc"),
        ({"sender_name": "x" * 501}, "sender_name"),
    ],
)
def test_settings_are_checked_at_the_door(given: dict[str, str], path: str) -> None:
    usual = {"host": "mail.example.com", "port": "587", "security": "starttls", "sender": "s@example.com"}
    with pytest.raises(Invalid) as wrong:
        gateway.check(usual | given)
    assert wrong.value.path == path


def test_every_wrong_setting_is_told_at_once() -> None:
    with pytest.raises(InvalidMany) as wrong:
        gateway.check({})
    assert [problem.path for problem in wrong.value.problems] == ["host", "port", "security", "sender"]


def test_nothing_personal_or_secret_shows() -> None:
    settings = {"host": "h.de", "port": "25", "security": "tls", "sender": "s@example.com", "username": "u",
                "password": "hunter2"}  # fmt: skip
    ask = gateway.ask_send(settings, LETTER, now=NOW, report_url="")
    assert "hunter2" not in repr(ask)
    assert "buyer@" not in repr(ask)
    with serving() as server, Exchange(lambda host: True) as exchange:
        server.handler.on["rcpt"] = "550 buyer@example.com 13912345678 unknown"
        with pytest.raises(Refused) as refused:
            send(exchange, values(server))
    assert "buyer@" not in refused.value.sentence and "1391" not in refused.value.sentence


def test_certificates_of_the_tests_are_checked(certificates: Certificates) -> None:
    assert certificates.client.verify_mode is ssl.CERT_REQUIRED and certificates.client.check_hostname
