"""DingTalk's robot: the signature over time and secret, one text message, its answer. Pure."""

import base64
import hashlib
import hmac
from datetime import datetime
from urllib.parse import urlencode

import msgspec

from waystream.core.robots import RobotAnswer

TEXT_MAX_BYTES = 18_000  # of 20,000 for the whole body
PATH = "/robot/send"


class Answer(RobotAnswer, frozen=True):
    code: int = msgspec.field(default=0, name="errcode")
    said: str = msgspec.field(default="", name="errmsg")


def sign(secret: str, *, at_ms: int) -> str:
    """Base64 of HMAC-SHA256 over time, line break and secret, keyed by the secret."""
    told = f"{at_ms}\n{secret}".encode()
    return base64.b64encode(hmac.new(secret.encode(), told, hashlib.sha256).digest()).decode()


def write_query(token: str, secret: str, *, now: datetime) -> str:
    """The query of a call; without a secret it is not signed."""
    at_ms = int(now.timestamp() * 1_000)
    signed = {"timestamp": str(at_ms), "sign": sign(secret, at_ms=at_ms)} if secret else {}
    return urlencode({"access_token": token, **signed})


def write_body(text: str) -> bytes:
    return msgspec.json.encode({"msgtype": "text", "text": {"content": text}})


def code_of(answer: RobotAnswer) -> str:
    """310000 means signature, keyword or address, by its words alone."""
    if answer.code != 310000:
        return str(answer.code)
    said = answer.said.lower()
    meant = next((word for word in ("sign", "keyword", "ip") if word in said), "")
    return f"310000 {meant}".strip()
