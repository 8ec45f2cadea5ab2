"""What is known of deliveries that are looked at, and the forgetting of those that were in order."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from psycopg import Connection

from waystream.core.cities import find_city
from waystream.core.state import State
from waystream.kernel.columns import bigints
from waystream.parts.deadlines.doubts import Evidence, Sighting

Conn = Connection[Any]

#: The newest standing scans of a delivery; more say nothing new of where it was.
SIGHTINGS_MAX = 200
#: A text names its place at its beginning.
LEAD_MAX = 80


def list_evidence(conn: Conn, parcel_ids: Collection[int]) -> list[Evidence]:
    """Of these delivered parcels, by id. Only a number that we took ourselves left from its warehouse; a dispatch that
    followed from the carrier's scan says nothing of its own. A wish to stop it stands while it is asked, or where the
    delivery itself settled it."""
    ids = sorted(parcel_ids)
    sightings = _list_sightings(conn, ids)
    rows = conn.execute(
        """SELECT p.id, p.shop_id, t.delivered_at, t.because, r.province, r.city,
                  CASE WHEN b.take_id IS NOT NULL THEN w.province ELSE '' END, w.city,
                  CASE WHEN p.dispatched_by <> 'carrier' THEN p.dispatched_at END,
                  p.held_reason <> '' AND p.stage <> 'dispatched' OR EXISTS (
                      SELECT FROM waybill_cancel c WHERE c.parcel_id = p.id AND c.binding_id = b.id
                        AND c.state IN ('asked', 'unsupported') AND c.settled_by = '')
                  OR EXISTS (
                      SELECT FROM care_wish w WHERE w.parcel_id = p.id AND w.kind = 'intercept'
                        AND (w.state = 'asked' OR w.state = 'refused' AND w.settled_by = ''))
           FROM parcel p JOIN track t ON t.parcel_id = p.id JOIN binding b ON b.id = t.binding_id
           JOIN person r ON r.id = p.person_id JOIN warehouse w ON w.id = p.warehouse_id
           WHERE p.id = ANY (%b::bigint[]) AND t.delivered_at IS NOT NULL ORDER BY p.id""",
        [bigints(ids)],
    )
    return [_evidence(row, sightings.get(row[0], [])) for row in rows]


def _evidence(row: tuple[Any, ...], sightings: list[Sighting]) -> Evidence:
    parcel_id, shop_id, delivered_at, because, province, city, from_province, from_city, left_at, stopped = row
    return Evidence(
        parcel_id,
        shop_id,
        delivered_at,
        because,
        receiver=find_city(province, city),
        origin=find_city(from_province, from_city) if from_province else None,
        left_at=left_at,
        stopped=stopped,
        sightings=sightings,
    )


def _list_sightings(conn: Conn, parcel_ids: list[int]) -> dict[int, list[Sighting]]:
    rows = conn.execute(
        """SELECT seen.* FROM unnest(%(ids)b::bigint[]) AS asked (id) CROSS JOIN LATERAL (
               SELECT parcel_id, key, at, state, location, left(text, %(lead)s) FROM scan
               WHERE parcel_id = asked.id AND withdrawn_at IS NULL ORDER BY at DESC, key LIMIT %(most)s) seen""",
        {"ids": bigints(parcel_ids), "lead": LEAD_MAX, "most": SIGHTINGS_MAX},
    )
    found: dict[int, list[Sighting]] = {}
    for parcel_id, key, at, state, location, text in rows:
        found.setdefault(parcel_id, []).append(Sighting(key, at, State(state), location, text))
    return found


def forget_verified(conn: Conn, *, before: datetime, limit: int) -> int:
    """Deliveries found in order so long ago; how many."""
    return conn.execute(
        """DELETE FROM deadline USING (
               SELECT kind, subject_id FROM deadline WHERE kind = 'verification' AND stand = 'met' AND ended_at < %s
               LIMIT %s) old
           WHERE deadline.kind = old.kind AND deadline.subject_id = old.subject_id""",
        [before, limit],
    ).rowcount
