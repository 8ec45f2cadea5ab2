"""How the demo's shops speak to their buyers: by text message, and one through a message port of its own.

Both other sides stand in the sandbox: the network's desk for text messages tells what became of each, the port takes a
letter once. What a buyer is told, and when, is decided as anywhere else.
"""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from waystream.core.gateways import Gateway
from waystream.kernel.tx import Tx
from waystream.parts.channels import actions as channels
from waystream.parts.channels.model import ChannelIn
from waystream.parts.notices import actions as notices
from waystream.parts.notices.kinds import load_kinds
from waystream.parts.notices.model import Policy
from waystream.parts.shops import actions as shops
from waystream.parts.shops.model import Shop

ACTOR = "system"
#: This shop talks to its buyers itself; the others send text messages.
OWN_PORT = "shanzhi"
PER_MINUTE = 6_000


@dataclass(frozen=True, slots=True)
class OtherSide:
    """The sandbox as a channel sees it."""

    address: str
    merchant_id: str
    key: str = field(repr=False)


def secret_of(key: str) -> str:
    """What the shop's message port trusts, from the key both sides have."""
    return "whsec_" + base64.b64encode(hashlib.sha256(f"messages {key}".encode()).digest()).decode()


def set_up(tx: Tx, other: OtherSide, *, gateways: Mapping[str, Gateway]) -> None:
    """Every shop speaks; a second start finds its channels there and changes nothing."""
    if channels.list_channels(tx):
        return
    for shop in shops.list_shops(tx):
        name, told = _own_port(other) if shop.code == OWN_PORT else _text_messages(other, shop)
        channels.add_channel(tx, shop.id, name, told, gateways=gateways, actor=ACTOR)
        notices.save_policy(tx, shop.id, Policy(enabled=True), actor=ACTOR)


def _own_port(other: OtherSide) -> tuple[str, ChannelIn]:
    values = {"url": f"{other.address}/shop/messages", "secret": secret_of(other.key)}
    return "shop_message", ChannelIn("own port", values, per_minute=PER_MINUTE)


def _text_messages(other: OtherSide, shop: Shop) -> tuple[str, ChannelIn]:
    """Every kind has a template there, numbered in the order of kinds."""
    templates = "; ".join(f"{kind}={number}" for number, kind in enumerate((*load_kinds(), "test"), start=1))
    values = {
        "merchant_id": other.merchant_id,
        "key": other.key,
        "sign_name": shop.name,
        "templates": templates,
        "address": other.address,
    }
    return "kdniao_sms", ChannelIn("text messages", values, per_minute=PER_MINUTE)
