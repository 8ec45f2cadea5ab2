"""WeCom's robot: one text message, its answer. The key in the address is all the proof there is. Pure."""

from urllib.parse import urlencode

import msgspec

TEXT_MAX_BYTES = 2_048
PATH = "/cgi-bin/webhook/send"


class Answer(msgspec.Struct, frozen=True):
    errcode: int = 0
    errmsg: str = ""


def write_query(key: str) -> str:
    return urlencode({"key": key})


def write_body(text: str) -> bytes:
    return msgspec.json.encode({"msgtype": "text", "text": {"content": text}})
