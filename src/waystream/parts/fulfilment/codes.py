"""Where take codes come from: 100 random bits in base32, never a sequence number, never used twice.

The code is what the carrier network knows an attempt by; a guessable one would let others ask for our numbers.
"""

import base64
import secrets
from collections.abc import Callable

CODE_BYTES = 15  # 24 characters, no padding

Codes = Callable[[], str]


def random_code() -> str:
    return base64.b32encode(secrets.token_bytes(CODE_BYTES)).decode()
