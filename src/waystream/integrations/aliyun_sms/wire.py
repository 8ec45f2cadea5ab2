"""Aliyun's envelope: RPC calls signed by ACS3-HMAC-SHA256, JSON answers, JSON receipts. Pure.

What is signed is exactly what is sent: the query is encoded once, by Aliyun's own rules (RFC 3986, blank as %20).
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from urllib.parse import quote, urlsplit

import msgspec

ALGORITHM = "ACS3-HMAC-SHA256"
VERSION = "2017-05-25"
BEIJING = timezone(timedelta(hours=8))


@dataclass(frozen=True, slots=True)
class Call:
    """One action with its parameters; `nonce` is used once."""

    address: str
    action: str
    parameters: Mapping[str, str] = field(repr=False)
    nonce: str
    at: datetime
    version: str = VERSION


@dataclass(frozen=True, slots=True)
class Signed:
    url: str = field(repr=False)
    headers: tuple[tuple[str, str], ...] = field(repr=False)


class Sent(msgspec.Struct, frozen=True, rename="pascal"):
    """The answer to SendSms, good or bad."""

    code: str = ""
    message: str = ""
    biz_id: str = ""
    request_id: str = ""


class SmsReport(msgspec.Struct, frozen=True):
    """One receipt of the report push. The phone is not read."""

    success: bool
    biz_id: str = ""
    out_id: str | None = ""
    err_code: str | None = ""
    report_time: str | None = ""


def sign(call: Call, *, key_id: str, secret: str) -> Signed:
    """The address and headers of a POST without a body."""
    host = urlsplit(call.address).netloc
    query = "&".join(f"{_encode(name)}={_encode(value)}" for name, value in sorted(call.parameters.items()))
    nothing = hashlib.sha256(b"").hexdigest()
    headers = {
        "host": host,
        "x-acs-action": call.action,
        "x-acs-content-sha256": nothing,
        "x-acs-date": call.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "x-acs-signature-nonce": call.nonce,
        "x-acs-version": call.version,
    }
    names = ";".join(sorted(headers))
    lines = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
    canonical = f"POST\n/\n{query}\n{lines}\n{names}\n{nothing}"
    to_sign = f"{ALGORITHM}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    signature = hmac.new(secret.encode(), to_sign.encode(), hashlib.sha256).hexdigest()
    told = f"{ALGORITHM} Credential={key_id},SignedHeaders={names},Signature={signature}"
    return Signed(f"{call.address.rstrip('/')}/?{query}", (*headers.items(), ("Authorization", told)))


def _encode(text: str) -> str:
    return quote(text, safe="-_.~")


def read_stamp(stamp: str | None) -> datetime | None:
    """A Beijing stamp as aware UTC; None for one that cannot be read: the receipt counts without it."""
    try:
        return datetime.strptime(stamp or "", "%Y-%m-%d %H:%M:%S").replace(tzinfo=BEIJING).astimezone(UTC)
    except ValueError:
        return None
