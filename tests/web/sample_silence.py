"""Silent parcels and a slow-down for the pages that show them: what history allows, who is stalled, who is held."""

from datetime import timedelta

from tests.web.sample import World, one
from waystream.kernel.tx import Tx


def make_silence(tx: Tx, world: World) -> int:
    """Of four parcels of the first shop two are stalled by themselves; two are in a slow-down. Its id."""
    conn, now = tx.conn, tx.now
    slowdown_id = one(
        conn,
        """INSERT INTO slowdown (carrier, place, began_at, silent, expected) VALUES ('', '成都转运中心', %s, 31, 2.4)
           RETURNING id""",
        now - timedelta(hours=6),
    )
    conn.execute(
        """INSERT INTO silence (parcel_id, shop_id, carrier, place, stage, silent_since, due_at, state, slowdown_id,
                                found_at)
           SELECT parcel_id, shop_id, carrier, '成都转运中心', 'in_transit', %(since)s, %(due)s, 'stalled',
                  CASE WHEN nth > 2 THEN %(slowdown)s::bigint END, %(due)s
           FROM (SELECT *, row_number() OVER (ORDER BY parcel_id) AS nth FROM track WHERE shop_id = %(shop)s) AS track
           WHERE nth <= 4""",
        {"since": now - timedelta(days=4), "due": now - timedelta(hours=9), "slowdown": slowdown_id,
         "shop": world.shop_ids[0]},
    )  # fmt: skip
    conn.execute(
        """INSERT INTO patience (carrier, lane, stage, hours, usual_h, gaps, waiting)
           VALUES ('', '', 'in_transit', 76.4, 23.8, 48210, 930), ('YTO', '', 'in_transit', 80.1, 25.0, 12040, 240),
                  ('YTO', '杭州市>四川省', 'in_transit', 101.2, 31.6, 214, 12)"""
    )
    conn.execute("INSERT INTO patience_curve VALUES (1.2, 120), (2, 30), (3, 12), (5, 6), (30, 2)")
    conn.execute(
        "UPDATE patience_book SET times = 3.3, expected = 10, gaps = 48210, version = 4, published_at = %s", [now]
    )
    return slowdown_id
