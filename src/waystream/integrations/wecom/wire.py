"""WeCom's robot: one text message, its answer. The key in the address is all the proof there is. Pure."""

from urllib.parse import urlencode

import msgspec

from waystream.core.robots import RobotAnswer

TEXT_MAX_BYTES = 2_048
PATH = "/cgi-bin/webhook/send"


class Answer(RobotAnswer, frozen=True):
    code: int = msgspec.field(default=0, name="errcode")
    said: str = msgspec.field(default="", name="errmsg")


def write_query(key: str) -> str:
    return urlencode({"key": key})


def write_body(text: str) -> bytes:
    return msgspec.json.encode({"msgtype": "text", "text": {"content": text}})
