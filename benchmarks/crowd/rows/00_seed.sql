-- One order a parcel. How far it has come follows from its age in days; `r` in [0, 1) draws.
-- 0 < i; an empty stage is an order nobody has shipped; `steps` is how often the parcel was scanned.

CREATE TEMP TABLE drawn AS
SELECT n.i, time.at,
       ((extract(epoch FROM time.at) * 1000)::bigint - %(epoch)s << %(bits)s) + n.i AS id,
       CASE WHEN s < 0.5 THEN 1 WHEN s < 0.75 THEN 2 WHEN s < 0.87 THEN 3 WHEN s < 0.93 THEN 4 WHEN s < 0.97 THEN 5
            WHEN s < 0.99 THEN 6 WHEN s < 0.9999 THEN 7 ELSE 8 END AS shop_id,
       CASE WHEN w < 0.7 THEN 1 WHEN w < 0.98 THEN 2 ELSE 3 END AS warehouse_id,
       CASE WHEN c < 0.4 THEN 'SF' WHEN c < 0.7 THEN 'YTO' WHEN c < 0.9 THEN 'ZTO' WHEN c < 0.999 THEN 'STO'
            ELSE 'EMS' END AS carrier,
       CASE WHEN r < 0.01 THEN 'exception' WHEN r < 0.012 THEN 'lost'
            WHEN age < 0.4 OR r < 0.0125 THEN 'awaiting_collection' WHEN age < 2 THEN 'in_transit' WHEN age < 3 THEN 'arrived_at_outlet' WHEN age < 3.5 THEN 'out_for_delivery'
            WHEN r < 0.03 THEN 'returned' ELSE 'delivered' END AS state,
       CASE WHEN age < 0.4 AND r < 0.3 AND r >= 0.012 THEN (ARRAY['', 'refused', 'issued', 'printed'])[1 + n.i %% 4]
            ELSE 'dispatched' END AS stage,
       r, age
FROM generate_series(1, %(n)s) AS n (i)
CROSS JOIN LATERAL (SELECT %(days)s * (1 - n.i::float / %(n)s) AS age, random() AS s, random() AS w, random() AS c,
                           random() AS r, n.i) draw
CROSS JOIN LATERAL (SELECT date_trunc('milliseconds', %(now)s::timestamptz - draw.age * interval '1 day') AS at) time;

CREATE TEMP TABLE seed AS
SELECT *,
       CASE state WHEN 'awaiting_collection' THEN 0 WHEN 'in_transit' THEN 3 WHEN 'arrived_at_outlet' THEN 5
            WHEN 'out_for_delivery' THEN 6 WHEN 'exception' THEN 4 WHEN 'lost' THEN 3 ELSE 8 END AS steps,
       CASE state WHEN 'exception' THEN (ARRAY['stalled', 'damaged', 'bad_address'])[1 + i %% 3]
            WHEN 'delivered' THEN (ARRAY['in_person', 'by_proxy', 'locker'])[1 + i %% 3] ELSE '' END AS kind,
       CASE WHEN state = 'delivered' THEN at + interval '3 days' END AS done_at,
       CASE WHEN stage = 'dispatched' THEN at + interval '5 hours' END AS left_at,
       CASE WHEN stage <> 'dispatched' THEN 'to_ship' WHEN state IN ('returned', 'lost') THEN 'closed'
            WHEN state = 'delivered' THEN CASE WHEN age < 12 THEN 'delivered' ELSE 'completed' END
            WHEN state = 'awaiting_collection' THEN 'shipped' WHEN state = 'out_for_delivery' THEN 'out_for_delivery'
            ELSE 'in_transit' END AS word
FROM drawn ORDER BY i;
