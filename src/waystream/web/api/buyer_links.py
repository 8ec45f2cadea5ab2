"""Buyers' links over the API: give the one of an order, revoke it."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter
from starlette.responses import Response

from waystream.kernel.tx import Tx
from waystream.parts.buyer import actions, links
from waystream.parts.buyer.links import Link
from waystream.web.interface import Call, may, told
from waystream.web.reach import reach_order
from waystream.web.wire import Told

WRITE = "orders:write"

router = APIRouter(tags=["orders"])


class BuyerLink(Told, frozen=True):
    """`url` is the buyer's page, `json` the same for programs. Who holds it sees the order masked and may answer for
    its buyer: hand it to nobody else."""

    url: str
    json: str
    token: str
    expires_at: datetime


@router.post("/orders/{order}/link", summary="Get the buyer's link of an order")
@told(gives=BuyerLink, errors=(404,))
def get_link(call: Annotated[Call, may(WRITE)], order: str) -> Response:
    """The same until it is revoked or grows old, so it can be asked for as often as needed; nothing is stored."""
    return call.do(lambda tx: _see(call, tx, actions.link(tx, reach_order(tx, call.seat, order))))


@router.post("/orders/{order}/link/revoke", summary="Revoke the buyer's link of an order")
@told(gives=BuyerLink, errors=(404, 409))
def revoke_link(call: Annotated[Call, may(WRITE)], order: str) -> Response:
    """Every link told so far opens nothing from now on; the answer is the new one."""
    return call.do(lambda tx: _see(call, tx, actions.revoke(tx, reach_order(tx, call.seat, order), actor=call.actor)))


def _see(call: Call, tx: Tx, link: Link) -> BuyerLink:
    token = link.signed(tx.keys.vault)
    url = links.address(call.context.base_url, token)
    return BuyerLink(url, f"{url}.json", token, link.expires_at)
