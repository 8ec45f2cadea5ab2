"""A real mail server on loopback (aiosmtpd) that keeps what it takes and answers as it is told to."""

import datetime
import ipaddress
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

USER, PASSWORD = "shop@example.com", "app-password"


@dataclass(frozen=True, slots=True)
class Taken:
    """One mail as it arrived."""

    sender: str
    recipients: tuple[str, ...]
    raw: bytes
    options: tuple[str, ...] = ()

    @property
    def message(self) -> EmailMessage:
        read = message_from_bytes(self.raw, policy=policy.default)
        assert isinstance(read, EmailMessage)
        return read

    def part(self, kind: str) -> str:
        body = self.message.get_body((kind,))
        assert body is not None
        return str(body.get_content())


@dataclass
class Handler:
    """`on` answers for a step: `mail`, `rcpt`, `data`; `hang_up_at` ends the connection there."""

    taken: list[Taken] = field(default_factory=list)
    on: dict[str, str] = field(default_factory=dict)
    hang_up_at: str = ""

    async def handle_MAIL(self, server: SMTP, session: Session, envelope: Envelope, address: str, options: Any) -> str:
        return self._answer("mail", server) or self._from(envelope, address, options)

    async def handle_RCPT(self, server: SMTP, session: Session, envelope: Envelope, address: str, options: Any) -> str:
        return self._answer("rcpt", server) or self._to(envelope, address)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        content = envelope.content
        assert isinstance(content, bytes)
        self.taken.append(
            Taken(str(envelope.mail_from), tuple(envelope.rcpt_tos), content, tuple(envelope.mail_options))
        )
        return self._answer("data", server) or "250 2.0.0 Ok: queued as 4XK2QX"

    def _answer(self, step: str, server: SMTP) -> str:
        if self.hang_up_at == step:
            assert server.transport is not None
            server.transport.abort()
        return self.on.get(step, "")

    @staticmethod
    def _from(envelope: Envelope, address: str, options: list[str]) -> str:
        envelope.mail_from, envelope.mail_options = address, options
        return "250 OK"

    @staticmethod
    def _to(envelope: Envelope, address: str) -> str:
        envelope.rcpt_tos.append(address)
        return "250 OK"


@dataclass(frozen=True, slots=True)
class Server:
    handler: Handler
    port: int


def authenticate(server: SMTP, session: Session, envelope: Envelope, mechanism: str, told: Any) -> AuthResult:
    fits = isinstance(told, LoginPassword) and (told.login, told.password) == (USER.encode(), PASSWORD.encode())
    return AuthResult(success=fits, handled=False)


def _free_port() -> int:
    """The controller wants to know beforehand."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@contextmanager
def serving(
    *, tls: ssl.SSLContext | None = None, starttls: ssl.SSLContext | None = None, auth: bool = False,
    class_: Callable[..., SMTP] = SMTP,
) -> Iterator[Server]:  # fmt: skip
    """`tls`: from the first byte. `auth`: nothing is taken before a sign-in."""
    handler = Handler()

    class Listening(Controller):
        def factory(self) -> SMTP:
            return class_(
                handler,
                hostname="mail.example.com",
                tls_context=starttls,
                require_starttls=starttls is not None,
                authenticator=authenticate if auth else None,
                auth_required=auth,
                auth_require_tls=starttls is not None,
            )

    controller = Listening(handler, hostname="127.0.0.1", port=_free_port(), ssl_context=tls)
    controller.start()
    try:
        yield Server(handler, controller.port)
    finally:
        controller.stop()


@dataclass(frozen=True, slots=True)
class Certificates:
    """What the server shows, and whom a client trusts who knows it."""

    server: ssl.SSLContext
    client: ssl.SSLContext


def make_certificates(folder: Path, *, name: str = "127.0.0.1") -> Certificates:
    """A certificate of its own signing for one address, good for a day."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "mail server of the tests")])
    begins = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(begins + datetime.timedelta(days=36_500))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(name))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    cert_file, key_file = folder / "mail.pem", folder / "mail.key"
    cert_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(cert_file, key_file)
    return Certificates(server, ssl.create_default_context(cafile=str(cert_file)))
