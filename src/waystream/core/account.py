"""How accounts at aggregators and carriers are written down before they are sealed under the root key.

`parts.hub` seals them when a person sets them up; `parts.fulfilment` and the push door open them to use them.
"""

from dataclasses import replace

import msgspec

from waystream.core.ports import CarrierAccount


def aggregator_aad(code: str) -> bytes:
    """What `aggregator.key_sealed` is bound to."""
    return f"aggregator:{code}".encode()


def account_aad(account_id: int) -> bytes:
    """What `carrier_account.parameters_sealed` is bound to."""
    return f"carrier_account:{account_id}".encode()


def to_text(account: CarrierAccount) -> str:
    return msgspec.json.encode(account).decode()


def from_text(text: str) -> CarrierAccount:
    return msgspec.json.decode(text, type=CarrierAccount)


def merged(old: CarrierAccount, new: CarrierAccount) -> CarrierAccount:
    """`new` with the secrets of `old` where it names none: a form shows no secret, so it sends none back."""
    return replace(
        new, carrier=old.carrier, customer_password=new.customer_password or old.customer_password,
        month_code=new.month_code or old.month_code,
    )  # fmt: skip
