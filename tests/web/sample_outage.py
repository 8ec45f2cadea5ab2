"""An outage that is being asked about, and a replay that waits to be applied, for the pages that show them."""

from datetime import timedelta

from tests.web.sample import World, one
from waystream.kernel.tx import Tx


def make_outage(tx: Tx, world: World) -> int:
    """Every parcel with a track has been asked for but three: one refused, two left."""
    conn, now = tx.conn, tx.now
    outage_id = one(
        conn,
        """INSERT INTO outage (began_at, ended_at, state, integrations) VALUES (%s, %s, 'asking', '{kdniao}')
           RETURNING id""",
        now - timedelta(hours=4), now - timedelta(minutes=20),
    )  # fmt: skip
    conn.execute(
        """INSERT INTO inquiry (outage_id, parcel_id, shop_id, binding_id, place, state, asked_at, said, created_at)
           SELECT %s, parcel_id, shop_id, binding_id, nth,
                  CASE nth WHEN 1 THEN 'waiting' WHEN 2 THEN 'waiting' WHEN 3 THEN 'refused' WHEN 4 THEN 'changed'
                  ELSE 'unchanged' END, CASE WHEN nth > 2 THEN %s::timestamptz END,
                  CASE nth WHEN 3 THEN '用户不存在或未开通' ELSE '' END, %s
           FROM (SELECT *, row_number() OVER (ORDER BY parcel_id) AS nth FROM track) AS track""",
        [outage_id, now - timedelta(hours=2), now],
    )
    return outage_id


def make_replay(tx: Tx, world: World) -> int:
    """A code that was unknown is known today: one parcel would be at the outlet, its order on its way."""
    conn, now = tx.conn, tx.now
    replay_id = one(
        conn,
        """INSERT INTO replay (since, until, code, actor, asked_at, state, position, pushes, pushes_of)
           VALUES (%s, %s, '20618', 'staff:1', %s, 'compared', 1, 812, 812) RETURNING id""",
        now - timedelta(days=45), now, now,
    )  # fmt: skip
    conn.execute(
        """INSERT INTO replay_scan (replay_id, parcel_id, key, shop_id, binding_id, source, code, state_before,
                                    kind_before, coarse_before, state, kind, coarse)
           SELECT %s, parcel_id, 1, shop_id, binding_id, 'kdniao', '20618', 'unknown', '', false, 'arrived_at_outlet',
                  '', false FROM track ORDER BY parcel_id LIMIT 1""",
        [replay_id],
    )
    conn.execute(
        """INSERT INTO replay_parcel (replay_id, parcel_id, shop_id, state_before, kind_before, direction_before,
                                      state, kind, direction, events)
           SELECT %s, parcel_id, shop_id, 'unknown', '', 'out', 'delivered', 'in_person', 'out', '{Delivered}'
           FROM track WHERE state NOT IN ('delivered') ORDER BY parcel_id LIMIT 1""",
        [replay_id],
    )
    return replay_id
