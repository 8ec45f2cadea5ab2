"""The shop's own message port as a `core.gateways.Gateway`: a signed POST, 2xx is handed."""

import base64
import binascii
from datetime import datetime
from importlib.resources import files
from typing import TYPE_CHECKING

from waystream.core.channels import Handed, Letter
from waystream.core.errors import Invalid, Unavailable
from waystream.core.gateways import SAID_MAX_CHARS, Gateway, Values, check_values, read_caption, read_refusals
from waystream.core.ports import Ask, HttpAsk, Reply
from waystream.integrations.shop_message.wire import sign, write_body

_SECRET_BYTES = range(24, 65)
_TIMEOUT_S = 15.0


class ShopMessage:
    """It holds no state, `gateway` below is the one instance."""

    caption = read_caption(files(__package__).joinpath("manifest.toml").read_text("utf-8"))
    refusals = read_refusals("The shop's system", files(__package__).joinpath("refusals.toml").read_text("utf-8"))

    def check(self, values: Values) -> None:
        check_values(self.caption, values)
        if not _is_secret(values["secret"]):
            raise Invalid("secret", "whsec_ and 24 to 64 bytes in base64")

    def ask_send(self, values: Values, letter: Letter, *, now: datetime, report_url: str) -> Ask:
        body = write_body(letter, at=now)
        signed = sign(values["secret"], message_id=letter.id, at=now, body=body)
        headers = (("content-type", "application/json"), *signed)
        return HttpAsk("POST", values["url"], headers, body, timeout_s=_TIMEOUT_S, reply_bytes=SAID_MAX_CHARS)

    def read_send(self, reply: Reply) -> Handed:
        if 200 <= reply.status < 300:
            return Handed()
        said = reply.body.decode("utf-8", "replace")
        if 400 <= reply.status < 500:
            raise self.refusals.error(str(reply.status), said)
        raise Unavailable(f"The shop's system answered {reply.status}", sent=True, code=str(reply.status))

    def mend_sentence(self, code: str, language: str) -> str:
        return self.refusals.mend_sentence(code, language)


def _is_secret(text: str) -> bool:
    try:
        key = base64.b64decode(text.removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError):
        return False
    return text.startswith("whsec_") and len(key) in _SECRET_BYTES


gateway = ShopMessage()
if TYPE_CHECKING:
    _conforms: Gateway = gateway
