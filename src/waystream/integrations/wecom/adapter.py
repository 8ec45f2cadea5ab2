"""WeCom's group robot as a `core.gateways.Gateway`: a letter to staff as one text, and what the robot says to it."""

from datetime import datetime
from importlib.resources import files
from typing import TYPE_CHECKING

import msgspec

from waystream.core.channels import Handed, Letter
from waystream.core.errors import Unavailable, Unreadable
from waystream.core.gateways import Gateway, Values, check_values, clip_bytes, read_caption, read_refusals
from waystream.core.ports import Ask, HttpAsk, Reply
from waystream.integrations.wecom.wire import PATH, TEXT_MAX_BYTES, Answer, write_body, write_query

_TIMEOUT_S = 10.0
_JSON = (("content-type", "application/json; charset=utf-8"),)


class WeCom:
    """It holds no state, `gateway` below is the one instance."""

    caption = read_caption(files(__package__).joinpath("manifest.toml").read_text("utf-8"))
    refusals = read_refusals("WeCom", files(__package__).joinpath("refusals.toml").read_text("utf-8"))

    def check(self, values: Values) -> None:
        check_values(self.caption, values)

    def ask_send(self, values: Values, letter: Letter, *, now: datetime, report_url: str) -> Ask:
        text = clip_bytes(f"{letter.subject}\n{letter.text}".strip(), TEXT_MAX_BYTES)
        url = values["address"].rstrip("/") + PATH + "?" + write_query(values["key"])
        return HttpAsk("POST", url, _JSON, write_body(text), timeout_s=_TIMEOUT_S)

    def read_send(self, reply: Reply) -> Handed:
        """A refusal is an answer with a code, with status 200."""
        try:
            answer = msgspec.json.decode(reply.body, type=Answer)
        except (msgspec.MsgspecError, RecursionError, UnicodeError):
            if 200 <= reply.status < 300:
                raise Unreadable("WeCom: the answer cannot be read") from None
            raise Unavailable(f"WeCom answered {reply.status}", sent=True) from None
        if answer.errcode:
            raise self.refusals.error(str(answer.errcode), answer.errmsg)
        if not 200 <= reply.status < 300:
            raise Unavailable(f"WeCom answered {reply.status}", sent=True)
        return Handed()

    def mend_sentence(self, code: str, language: str) -> str:
        return self.refusals.mend_sentence(code, language)


gateway = WeCom()
if TYPE_CHECKING:
    _conforms: Gateway = gateway
