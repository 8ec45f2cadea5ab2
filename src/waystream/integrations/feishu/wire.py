"""Feishu's robot: the signature over time and secret, one text message, its answer. Pure."""

import base64
import hashlib
import hmac
from datetime import datetime
from urllib.parse import quote

import msgspec

from waystream.core.robots import RobotAnswer

TEXT_MAX_BYTES = 18_000  # of 20 kB for the whole body
PATH = "/open-apis/bot/v2/hook/"


class Answer(RobotAnswer, frozen=True):
    code: int = msgspec.field(default=0, name="code")
    said: str = msgspec.field(default="", name="msg")


def sign(secret: str, *, at_s: int) -> str:
    """Base64 of HMAC-SHA256 over nothing, keyed by time, line break and secret."""
    return base64.b64encode(hmac.new(f"{at_s}\n{secret}".encode(), b"", hashlib.sha256).digest()).decode()


def write_path(token: str) -> str:
    return PATH + quote(token, safe="")


def write_body(text: str, secret: str, *, now: datetime) -> bytes:
    """Without a secret it is not signed."""
    at_s = int(now.timestamp())
    signed = {"timestamp": str(at_s), "sign": sign(secret, at_s=at_s)} if secret else {}
    return msgspec.json.encode({**signed, "msg_type": "text", "content": {"text": text}})
