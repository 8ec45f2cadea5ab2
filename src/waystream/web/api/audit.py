"""The audit over the API: who did what to what, when and why. It is only read: nobody changes a line of it."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from waystream.kernel.tx import Tx
from waystream.parts.people import actions
from waystream.web.api.orders import After
from waystream.web.cursor import write_cursor
from waystream.web.interface import Call, go_on, may, told
from waystream.web.wire import Id, Told, see

READ = "audit:read"

router = APIRouter(tags=["audit"])


class AuditLine(Told, frozen=True):
    """`actor` and `subject` as `staff:7`, `key:3`, `order:412…`, `parcel:412…`."""

    id: Id
    at: datetime
    shop_id: Id | None
    actor: str
    action: str
    subject: str
    reason: str
    detail: dict[str, str | int]


class AuditPage(Told, frozen=True):
    """`after` leads to the next page; null on the last."""

    lines: tuple[AuditLine, ...]
    after: str | None


@router.get("/audit", summary="List what was done, the newest first")
@told(gives=AuditPage, errors=(422,))
def list_audit(
    call: Annotated[Call, may(READ)],
    subject: Annotated[str, Query(max_length=100, description="to what: `order:412…`")] = "",
    actor: Annotated[str, Query(max_length=100, description="who: `staff:7`")] = "",
    action: Annotated[str, Query(max_length=100, description="what: `unmask`")] = "",
    after: After = "",
    limit: Annotated[int, Query(ge=1, le=actions.PAGE_MAX, description="rows of a page")] = 50,
) -> Response:
    """Lines of the caller's shops, and of what belongs to no shop."""
    at = go_on(after)

    def read(tx: Tx) -> AuditPage:
        rows = actions.list_audit(tx, subject=subject, actor=actor, action=action, before=at, limit=limit)
        last = rows[-1] if len(rows) == limit else None
        return AuditPage(
            lines=tuple(see(AuditLine, row) for row in rows), after=write_cursor(last.at, last.id) if last else None
        )

    return call.show(read)
