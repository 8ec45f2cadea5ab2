"""The audit: who did what, to what, why. Lines are only ever added (the database takes nothing else)."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from psycopg import Connection


@dataclass(frozen=True, slots=True)
class Entry:
    """`actor` is `staff:ID`, `key:ID`, `rule:NAME` or `system`; `subject` is `order:ID`, `parcel:ID`, `staff:ID` …"""

    actor: str
    action: str
    subject: str
    shop_id: int | None = None
    reason: str = ""
    detail: Mapping[str, str | int] = field(default_factory=dict)


def write(conn: Connection[Any], entries: Sequence[Entry], *, at: datetime) -> None:
    """Add the entries in one statement."""
    if not entries:
        return
    conn.execute(
        """INSERT INTO audit (at, shop_id, actor, action, subject, reason, detail)
           SELECT %(at)s, * FROM unnest(%(shops)s::bigint[], %(actors)s::text[], %(actions)s::text[],
                                        %(subjects)s::text[], %(reasons)s::text[], %(details)s::jsonb[])""",
        {
            "at": at,
            "shops": [entry.shop_id for entry in entries],
            "actors": [entry.actor for entry in entries],
            "actions": [entry.action for entry in entries],
            "subjects": [entry.subject for entry in entries],
            "reasons": [entry.reason for entry in entries],
            "details": [json.dumps(dict(entry.detail)) for entry in entries],
        },
    )
