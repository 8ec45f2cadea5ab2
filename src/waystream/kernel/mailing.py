"""One mail over SMTP, by the standard library: connect, encrypt, sign in, hand over.

Guaranteed: the address is checked like that of any other call (`outgoing_network`), certificates are verified, a
conversation ends by its deadline however slowly the other side drips, and a failure says whether the mail may have
been taken: it may from the moment its last bytes leave.
"""

import re
import smtplib
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from waystream.core.errors import Unavailable
from waystream.core.ports import MailAsk, Reply
from waystream.kernel.outgoing_network import choose_address

HELLO = "waystream.invalid"  # the name of a container is nobody's business
GO_ON = 354
_TAKEN = range(200, 300)
_LEADING_DOT = re.compile(rb"(?m)^\.")


class _Said(Exception):
    """A step was answered with something else than yes."""

    def __init__(self, step: str, code: int, said: bytes) -> None:
        super().__init__(step)
        self.reply = Reply(code, (("step", step),), said)


class _Conversation(smtplib.SMTP):
    """smtplib's own with our choice of address. `in_doubt`: the whole mail may have left."""

    def __init__(self, ask: MailAsk, context: ssl.SSLContext, *, may_be_private: bool) -> None:
        self._ask, self._context, self._may_be_private = ask, context, may_be_private
        self._line: socket.socket | None = None
        self._over = False
        self.in_doubt = False
        super().__init__(local_hostname=HELLO, timeout=ask.timeout_s)
        self._host = ask.host  # whose certificate STARTTLS checks

    def hold(self) -> Reply:
        """All steps in turn. Raises `_Said` for one that is refused."""
        ask = self._ask
        self._require("connect", *self.connect(ask.host, ask.port))
        self._require("hello", *self.ehlo())
        if ask.security == "starttls":
            self._encrypt()
        if ask.username:
            self._sign_in()
        knows_dsn = self.has_extn("dsn") and ask.envelope_id.isalnum()
        self._require("sender", *self.mail(ask.sender, [f"ENVID={ask.envelope_id}"] if knows_dsn else []))
        self._require("recipient", *self.rcpt(ask.recipient, ["NOTIFY=FAILURE,DELAY"] if knows_dsn else []))
        return self._hand_over()

    def cut(self) -> None:
        """End it from another thread: whatever waits for the other side fails now."""
        self._over = True
        if self._line is not None:
            with suppress(OSError):
                self._line.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        super().close()
        if self._line is not None:
            self._line.close()
            self._line = None

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        address = choose_address(host, port, may_be_private=self._may_be_private)
        plain = socket.create_connection((address, port), timeout=timeout)
        self._line = plain.dup()  # the same connection by a handle that encrypting does not take away
        if self._over:
            plain.close()
            raise TimeoutError
        if self._ask.security != "tls":
            return plain
        try:
            return self._context.wrap_socket(plain, server_hostname=host)
        except OSError:
            plain.close()
            raise

    def _encrypt(self) -> None:
        try:
            self._require("starttls", *self.starttls(context=self._context))
        except smtplib.SMTPNotSupportedError:
            raise _Said("starttls", 502, b"STARTTLS is not offered") from None
        self._require("hello", *self.ehlo())

    def _sign_in(self) -> None:
        try:
            self.login(self._ask.username, self._ask.password)
        except smtplib.SMTPNotSupportedError:
            raise _Said("auth", 503, b"AUTH is not offered") from None
        except smtplib.SMTPAuthenticationError as error:
            told = error.smtp_error
            raise _Said("auth", error.smtp_code, told if isinstance(told, bytes) else told.encode()) from None

    def _hand_over(self) -> Reply:
        code, said = self.docmd("data")
        if code != GO_ON:
            raise _Said("data", code, said)
        self.in_doubt = True
        self.send(_LEADING_DOT.sub(b"..", self._ask.message).rstrip(b"\r\n") + b"\r\n.\r\n")
        code, said = self.getreply()
        self.in_doubt = False
        with suppress(OSError, smtplib.SMTPException):
            self.quit()
        return Reply(code, (("step", "data"),), said)

    @staticmethod
    def _require(step: str, code: int, said: bytes) -> None:
        if code not in _TAKEN:
            raise _Said(step, code, said)


def send_mail(ask: MailAsk, *, may_be_private: bool, context: ssl.SSLContext) -> Reply:
    """The server's last answer, also where it is a no. Raises `Unavailable` with `sent`, `Invalid` for an address of a
    private network."""
    conversation = _Conversation(ask, context, may_be_private=may_be_private)
    try:
        with _ended_after(conversation, ask.timeout_s):
            return conversation.hold()
    except _Said as no:
        return no.reply
    except ssl.SSLCertVerificationError as error:
        return Reply(554, (("step", "certificate"),), error.verify_message.encode())
    except (OSError, UnicodeError, smtplib.SMTPException) as error:
        name = type(error).__name__
        raise Unavailable(f"{ask.host} ended the conversation ({name})", sent=conversation.in_doubt) from None
    finally:
        conversation.close()


@contextmanager
def _ended_after(conversation: _Conversation, timeout_s: float) -> Iterator[None]:
    timer = threading.Timer(timeout_s, conversation.cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
