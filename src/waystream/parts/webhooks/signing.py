"""Secrets and signatures as Standard Webhooks 1.0 wants them, by its own library."""

import base64
import secrets
from collections.abc import Iterable
from datetime import datetime

from standardwebhooks.webhooks import Webhook

SECRET_BYTES = 32


def new_secret() -> str:
    """`whsec_` and 32 random bytes."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def secret_aad(endpoint_id: int) -> bytes:
    """What a sealed secret is bound to."""
    return f"webhook_endpoint {endpoint_id}".encode()


def sign(keys: Iterable[str], *, message_id: str, at: datetime, body: bytes) -> tuple[tuple[str, str], ...]:
    """The three headers; with two secrets, two signatures. `at` is the machine's time of the attempt."""
    signatures = (Webhook(key).sign(message_id, at, body.decode()) for key in keys)
    return (
        ("webhook-id", message_id),
        ("webhook-timestamp", str(int(at.timestamp()))),
        ("webhook-signature", " ".join(signatures)),
    )
