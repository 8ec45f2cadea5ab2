"""What the robots of staff groups (DingTalk, WeCom, Feishu) have in common: a letter is one text, and the code of the
answer, not its HTTP status, says whether it was taken.

Pure. Each robot adds where it is reached and how it writes; its codes and what mends them are tables beside it.
"""

from importlib.resources import files
from typing import ClassVar

import msgspec

from waystream.core.channels import Handed, Letter
from waystream.core.errors import Unavailable, Unreadable
from waystream.core.gateways import Values, check_values, clip_bytes, read_caption, read_refusals
from waystream.core.ports import HttpAsk, Reply

_TIMEOUT_S = 10.0
_JSON = (("content-type", "application/json; charset=utf-8"),)


class RobotAnswer(msgspec.Struct, frozen=True):
    """`code` 0 is yes. Each robot has names of its own for the two."""

    code: int = 0
    said: str = ""


class Robot:
    """`NAME` is whom its sentences are about. It holds no state but its tables."""

    NAME: ClassVar[str]
    ANSWER: ClassVar[type[RobotAnswer]]

    def __init__(self, package: str) -> None:
        folder = files(package)
        self.caption = read_caption(folder.joinpath("manifest.toml").read_text("utf-8"))
        self.refusals = read_refusals(self.NAME, folder.joinpath("refusals.toml").read_text("utf-8"))

    def check(self, values: Values) -> None:
        check_values(self.caption, values)

    def code_of(self, answer: RobotAnswer) -> str:
        """The code as the table of refusals has it."""
        return str(answer.code)

    def read_send(self, reply: Reply) -> Handed:
        """A refusal is an answer with a code, mostly with status 200."""
        good = 200 <= reply.status < 300
        try:
            answer = msgspec.json.decode(reply.body, type=self.ANSWER)
        except (msgspec.MsgspecError, RecursionError, UnicodeError):
            if good:
                raise Unreadable(f"{self.NAME}: the answer cannot be read") from None
            raise Unavailable(f"{self.NAME} answered {reply.status}", sent=True) from None
        if answer.code:
            raise self.refusals.error(self.code_of(answer), answer.said)
        if not good:
            raise Unavailable(f"{self.NAME} answered {reply.status}", sent=True)
        return Handed()

    def mend_sentence(self, code: str, language: str) -> str:
        return self.refusals.mend_sentence(code, language)


def write_words(letter: Letter, *, max_bytes: int) -> str:
    """The letter as one text, cut where the robot takes no more."""
    return clip_bytes(f"{letter.subject}\n{letter.text}".strip(), max_bytes)


def post(url: str, body: bytes) -> HttpAsk:
    return HttpAsk("POST", url, _JSON, body, timeout_s=_TIMEOUT_S)
