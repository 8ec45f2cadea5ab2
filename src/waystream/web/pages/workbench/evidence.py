"""The evidence of a claim as one file: what happened in words, the raw pushes, the label, the goods' prices.

Guaranteed: only somebody who may see people in the clear opens it, with a reason; every push in it is noted in the
audit, one that tells of others or of somebody erased is left out and named as such.
"""

import io
import zipfile
from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Form
from starlette.requests import Request
from starlette.responses import Response

from waystream.core.carriers import name_of
from waystream.core.errors import Conflict, Forbidden, Missing, WaystreamError
from waystream.core.ports import Network
from waystream.kernel.tx import Tx
from waystream.parts.floor import actions as floor
from waystream.parts.floor import paper
from waystream.parts.orders import actions as orders_actions
from waystream.parts.orders import lists as orders
from waystream.parts.orders.views import Order
from waystream.parts.tracking import reading
from waystream.parts.tracking.store_lists import TimelineRow
from waystream.web.acting import act_on_ticket
from waystream.web.auth import Seat, requires
from waystream.web.context import context_of
from waystream.web.pages.workbench import store
from waystream.web.pages.workbench.words import cause_word
from waystream.web.raw_push import open_raw_push
from waystream.web.render import language_for, language_of
from waystream.web.shell.language import Language

UNMASK = "person:unmask"
PUSHES_AT_MOST = 50

router = APIRouter()


@router.post("/workbench/evidence")
def evidence(
    request: Request, seat: Annotated[Seat, requires(UNMASK)], id: Annotated[str, Form(max_length=19)],
    reason: Annotated[str, Form(max_length=500)],
) -> Response:  # fmt: skip
    """In Chinese: it goes to a Chinese carrier."""
    context = context_of(request)
    language = language_for("zh", language_of(request).zone)
    reason = orders_actions.required_reason(reason)

    def pack(tx: Tx, ticket_id: int) -> bytes:
        subject = store.get_subject(tx.conn, ticket_id)
        return pack_evidence(tx, seat, subject, networks=context.networks, language=language, reason=reason)

    body = act_on_ticket(request, seat, id, pack)
    headers = {"Content-Disposition": f'attachment; filename="evidence-{id}.zip"', "Cache-Control": "no-store"}
    return Response(body, media_type="application/zip", headers=headers)


def pack_evidence(
    tx: Tx, seat: Seat, subject: store.Subject, *, networks: Mapping[str, Network], language: Language, reason: str
) -> bytes:
    """Raises `Conflict` for a ticket about no parcel."""
    if subject.parcel_id is None or subject.order_id is None:
        raise Conflict("This ticket is about no parcel.")
    order = orders.get_order(tx, subject.order_id)
    scans = reading.timeline(tx, subject.parcel_id)
    pushes = sorted({scan.inbox_id for scan in scans if scan.inbox_id}, reverse=True)[:PUSHES_AT_MOST]
    opened: dict[str, bytes] = {}
    left_out: list[str] = []
    for inbox_id in pushes:
        try:
            raw = open_raw_push(tx, seat, networks, parcel_id=subject.parcel_id, inbox_id=inbox_id, reason=reason)
        except (Missing, Forbidden, Conflict) as refused:
            left_out.append(f"{inbox_id}：{language.echo(refused.sentence)}")
        else:
            opened[f"pushes/{inbox_id}.txt"] = raw.body
    files = {
        "claim.txt": write_claim(tx, subject, order, language, left_out).encode(),
        "timeline.txt": write_timeline(scans, language).encode(),
        **opened,
        **_label(tx, subject.parcel_id, networks),
    }
    return _zip(files)


def write_claim(tx: Tx, subject: store.Subject, order: Order, language: Language, left_out: list[str]) -> str:
    """Whose parcel, what was in it, what it cost, what happened. Prices are the order's own."""
    assert subject.parcel_id is not None, "a claim is about a parcel"
    facts = store.find_facts(tx.conn, subject.parcel_id)
    since = subject.trouble_at.astimezone(language.zone)
    goods = [f"{line.name or line.sku} × {line.quantity}：{language.money(line.price_fen * line.quantity)} 元"
             for line in order.lines]  # fmt: skip
    lines = [
        f"承运商：{name_of(facts.carrier) if facts else ''}",
        f"运单号：{facts.number if facts else ''}",
        f"订单号：{order.number}（{order.shop}）",
        f"起因：{language.say(cause_word(subject.cause).title)}，{since:%Y-%m-%d %H:%M}",
        "商品：",
        *goods,
        f"实付：{language.money(order.total_fen)} 元",
        *([f"声明价值：{language.money(order.declared_fen)} 元"] if order.declared_fen else []),
        *(["未附上的推送：", *left_out] if left_out else []),
    ]
    return "\n".join(lines) + "\n"


def write_timeline(scans: list[TimelineRow], language: Language) -> str:
    """The carrier's own lines, newest first, with the push each came in."""
    return "".join(
        f"{scan.at.astimezone(language.zone):%Y-%m-%d %H:%M:%S}\t{scan.text}\t{scan.code}"
        f"{'（承运商已撤回）' if scan.withdrawn_at else ''}\t推送 {scan.inbox_id or '-'}\n"
        for scan in scans
    )


def _label(tx: Tx, parcel_id: int, networks: Mapping[str, Network]) -> dict[str, bytes]:
    """The label as it prints; none where it is gone or cannot be drawn."""
    try:
        document, _ = paper.render_label(floor.get_label(tx, parcel_id), networks, format="pdf")
    except WaystreamError:
        return {}
    return {"label.pdf": document}


def _zip(files: Mapping[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in files.items():
            archive.writestr(zipfile.ZipInfo(name), body)
    return packed.getvalue()
