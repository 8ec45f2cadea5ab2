"""Kdniao's envelope: the signed form around one JSON document, and the small readings its looseness needs.

Pure bytes <-> values. What is signed is exactly what is sent: the document is encoded once and never again. The
documents themselves are in `documents.py`; what they mean to us is in `adapter.py`.
"""

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from typing import TypeVar
from urllib.parse import unquote_plus, urlencode

import msgspec
from fast_query_parsers import parse_query_string

from waystream.core.errors import Unreadable
from waystream.integrations.kdniao.documents import Word

FORM = "application/x-www-form-urlencoded;charset=utf-8"
_AHEAD = timedelta(hours=8)  # Beijing keeps no summer time
BEIJING = timezone(_AHEAD)

STAMPS_KEPT = 65_536
_PEELS_MAX = 2  # some clients URL-encode and let their HTTP library encode again
_YEARS = range(2000, 2100)
_STAMP = re.compile(r"\s*(\d{4})[-/年](\d{1,2})[-/月](\d{1,2})日?[ T]*(\d{1,2}):(\d{1,2})(?::(\d{1,2}))?")
_CLAUSE_ENDS = "，。；,;!！?？"
_TORN_DIGITS = re.compile(r"[\d+ -]+$")
_CONTROL = dict.fromkeys([*range(0x20), *range(0x7F, 0xA0)])

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Envelope:
    """The form fields; `data` is the JSON text as it was signed. An absent field is empty."""

    data: str = field(repr=False)
    request_type: str
    merchant_id: str = ""
    signature: str = ""
    data_type: str = "2"


def sign(data: str, key: str) -> str:
    """Base64 over the 32 hex characters (not the 16 bytes) of MD5(data + key); 44 characters."""
    hashed = hashlib.md5(data.encode("utf-8", "surrogatepass"), usedforsecurity=False)
    hashed.update(key.encode("utf-8", "surrogatepass"))
    return base64.b64encode(hashed.hexdigest().encode()).decode()


def verify(envelope: Envelope, key: str) -> bool:
    """Whether the signature fits the data, in constant time; a signature encoded once too often still counts."""
    expected = sign(envelope.data, key).encode()
    told = envelope.signature.strip()
    for _ in range(_PEELS_MAX + 1):
        if hmac.compare_digest(expected, told.encode("utf-8", "surrogatepass")):
            return True
        told = unquote_plus(told).strip()
    return False


def write_envelope(envelope: Envelope) -> bytes:
    """The form as bytes, every field URL-encoded once."""
    fields = [
        ("RequestData", envelope.data),
        ("EBusinessID", envelope.merchant_id),
        ("RequestType", envelope.request_type),
        ("DataSign", envelope.signature),
        ("DataType", envelope.data_type),
    ]
    return urlencode([(name, value) for name, value in fields if value]).encode()


def read_envelope(body: bytes) -> Envelope:
    """The form fields of any body: what is not there is empty, so that verifying it fails."""
    fields = dict(parse_query_string(body, "&"))
    return Envelope(
        data=_peeled(fields.get("RequestData", "")),
        request_type=fields.get("RequestType", "").strip(),
        merchant_id=fields.get("EBusinessID", "").strip(),
        signature=fields.get("DataSign", ""),
        data_type=fields.get("DataType", ""),
    )


def _peeled(data: str) -> str:
    """JSON never starts with a percent sign: if this does, it was URL-encoded once too often."""
    for _ in range(_PEELS_MAX):
        if not data.startswith("%"):
            break
        data = unquote_plus(data)
    return data


def signed_form(document: msgspec.Struct, *, request_type: str, merchant_id: str, key: str) -> bytes:
    """One document as the signed form that travels."""
    data = msgspec.json.encode(document).decode()
    return write_envelope(
        Envelope(data=data, request_type=request_type, merchant_id=merchant_id, signature=sign(data, key))
    )


def read_document(data: str | bytes, kind: type[T]) -> T:
    """Parse one JSON document; raises `Unreadable` without quoting what it holds."""
    try:
        return msgspec.json.decode(data, type=kind, strict=False)
    except (msgspec.MsgspecError, RecursionError, UnicodeError) as error:
        raise Unreadable(f"Kdniao: {kind.__name__} cannot be read") from error


def read_request(data: str, kind: type[T]) -> T:
    """As `read_document`, also for the single-quoted pseudo-JSON that the vendor's own examples send."""
    single_quoted = "'" in data and '"' not in data
    return read_document(data.replace("'", '"') if single_quoted else data, kind)


def text(word: Word) -> str:
    """A loosely typed field as clean text: numbers written out, control characters and outer blanks gone."""
    if isinstance(word, str):
        return word.strip() if word.isprintable() else word.translate(_CONTROL).strip()
    if word is None:
        return ""
    return str(int(word) if isinstance(word, float) and word.is_integer() else word)


def clip(whole: str, max_chars: int) -> str:
    """A text for people of at most so many characters.

    Of a longer one the clause that the edge tears goes whole: half a phone or a name without what follows it would
    not be masked.
    """
    if len(whole) <= max_chars:
        return whole
    end = max(whole.rfind(mark, 0, max_chars) for mark in _CLAUSE_ENDS) + 1
    return whole[:end] if end else _TORN_DIGITS.sub("", whole[:max_chars])


def truth(word: Word) -> bool:
    """A loosely typed yes: true, "true", 1, "1"."""
    return text(word).lower() in ("true", "1")


@lru_cache(STAMPS_KEPT)
def instant(stamp: str) -> datetime:
    """A Beijing stamp as aware UTC, in any of the ways it is written; raises `Unreadable`.

    Every push tells its whole history again, so most stamps were read a moment ago.
    """
    try:
        local = datetime.fromisoformat(stamp[:19])
    except ValueError:
        local = _loose_instant(stamp)
    if local.year not in _YEARS:
        raise Unreadable("Kdniao: a time stamp lies outside this century")
    return local.replace(tzinfo=UTC) - _AHEAD


def _loose_instant(stamp: str) -> datetime:
    found = _STAMP.match(stamp)
    if found is None:
        raise Unreadable("Kdniao: a time stamp cannot be read")
    try:
        return datetime(*(int(part or 0) for part in found.groups()))  # type: ignore[arg-type]  # noqa: DTZ001
    except ValueError as error:
        raise Unreadable("Kdniao: a time stamp cannot be read") from error


def stamp(at: datetime) -> str:
    """An instant as Kdniao writes it: Beijing time without a zone."""
    return at.astimezone(BEIJING).strftime("%Y-%m-%d %H:%M:%S")
