-- What went wrong: silences, slow-downs, deadlines, tickets. Open tickets are of parcels in trouble first.

INSERT INTO slowdown (carrier, place, began_at, silent, expected, ended_at)
SELECT 'YTO', '转运中心 ' || i, %(now)s::timestamptz - i * interval '1 day', 300, 20,
       CASE WHEN i > 3 THEN %(now)s::timestamptz - i * interval '20 hours' END
FROM generate_series(1, 40) i;
INSERT INTO slowdown_shop (slowdown_id, shop_id, told_at)
SELECT id, shop_id, began_at FROM slowdown CROSS JOIN generate_series(1, 8) shop_id;
INSERT INTO silence (parcel_id, shop_id, carrier, place, stage, silent_since, due_at, state, slowdown_id, found_at,
                     stalled_at, ended_at)
SELECT id, shop_id, carrier, '转运中心 ' || i %% 90, 'in_transit', at, at, open,
       CASE WHEN i %% 6 = 0 THEN 1 + CASE WHEN open IN ('asked', 'stalled') THEN i / 6 %% 3 ELSE i / 6 %% 40 END END,
       at, CASE WHEN open <> 'asked' THEN at END, CASE WHEN open NOT IN ('asked', 'stalled') THEN at END
FROM (SELECT *, CASE WHEN state IN ('exception', 'lost') AND age < 20 THEN CASE WHEN i %% 4 = 0 THEN 'asked'
                     ELSE 'stalled' END WHEN i %% 2 = 0 THEN 'stirred' ELSE 'over' END AS open FROM seed
      WHERE state IN ('exception', 'lost') OR i %% 20 = 0 AND stage = 'dispatched') troubled;
INSERT INTO patience (carrier, lane, stage, hours, usual_h, gaps, waiting)
SELECT carrier, '杭州市>省 ' || i, stage, 30, 20, 5000 - i, 10
FROM unnest('{SF,YTO,ZTO,STO}'::text[]) carrier CROSS JOIN unnest('{in_transit,arrived_at_outlet}'::text[]) stage
     CROSS JOIN generate_series(1, 400) i;
INSERT INTO patience_curve (times, expected) SELECT 1 + i * 0.25, 60 / (1 + i) FROM generate_series(0, 30) i;
UPDATE patience_book SET expected = 9, gaps = 5000000, published_at = %(now)s;

INSERT INTO deadline (subject_id, kind, shop_id, warehouse_id, since, due_at, stand, missed_at)
SELECT id, each.kind, shop_id, warehouse_id, at, due, CASE WHEN due <= %(now)s THEN 'missed' ELSE 'open' END,
       CASE WHEN due <= %(now)s THEN due END
FROM seed CROSS JOIN LATERAL (VALUES
    ('ship_by', at + interval '1 day', word = 'to_ship'),
    ('promise', at + interval '4 days', word IN ('shipped', 'in_transit', 'out_for_delivery')),
    ('collection', at + interval '1 day', state = 'awaiting_collection' AND stage = 'dispatched'),
    ('pickup', at + interval '5 days', state = 'arrived_at_outlet')) AS each (kind, due, stands)
WHERE stands ORDER BY i;
INSERT INTO deadline (subject_id, kind, shop_id, warehouse_id, since, due_at, stand, missed_at, ended_at, doubts)
SELECT id, 'verification', shop_id, warehouse_id, done_at, done_at + interval '6 hours',
       CASE WHEN i %% 50 = 0 THEN 'missed' WHEN done_at > %(now)s::timestamptz - interval '6 hours' THEN 'open'
            ELSE 'met' END,
       CASE WHEN i %% 50 = 0 THEN done_at END, CASE WHEN i %% 50 > 0 THEN done_at END,
       CASE WHEN i %% 50 = 0 THEN '{elsewhere}' ELSE '{}' END::text[]
FROM seed WHERE done_at IS NOT NULL AND age < 20 ORDER BY i;
INSERT INTO deadline (subject_id, kind, shop_id, warehouse_id, since, due_at, stand, missed_at, ended_at)
SELECT id, 'ship_by', shop_id, warehouse_id, at, at + interval '1 day', 'met', at, at
FROM seed WHERE word <> 'to_ship' AND i %% 30 = 0 ORDER BY i;

INSERT INTO ticket (id, shop_id, warehouse_id, cause, state, priority, severity, parcel_id, order_id, because,
                    trouble_at, opened_at, clock_at, due_at, assignee, taken_at, closed_at, closed_by, ending)
SELECT id + 1, shop_id, warehouse_id, (ARRAY['stalled', 'attempt_failed', 'lost', 'overdue', 'not_collected',
                                             'damaged', 'wrong_address', 'refused'])[1 + nth %% 8],
       CASE WHEN nth > %(open)s THEN 'closed' WHEN nth %% 5 = 0 THEN 'taken' ELSE 'open' END,
       (ARRAY['high', 'normal', 'low'])[1 + nth %% 3], 2, id, id, 'event:' || nth, at, at, at,
       %(now)s::timestamptz + (nth %% 4000 - 500) * interval '1 minute',
       CASE WHEN nth <= %(open)s AND nth %% 5 = 0 THEN 'staff:' || 1 + nth %% 60 ELSE '' END,
       CASE WHEN nth %% 5 = 0 THEN at END, CASE WHEN nth > %(open)s THEN at + interval '1 day' END, '',
       CASE WHEN nth > %(open)s THEN 'moved_on' ELSE '' END
FROM (SELECT *, row_number() OVER (ORDER BY state IN ('exception', 'lost') DESC, i) AS nth
      FROM seed WHERE stage = 'dispatched' LIMIT %(tickets)s) AS troubled;
INSERT INTO ticket (id, shop_id, cause, priority, severity, slowdown_id, because, trouble_at, opened_at, clock_at,
                    due_at)
SELECT slowdown_id * 100 + shop_id, shop_id, 'incident', 'high', 3, slowdown_id, 'event:1', told_at, told_at, told_at,
       %(now)s
FROM slowdown_shop WHERE slowdown_id <= 3;
INSERT INTO ticket_entry (ticket_id, shop_id, at, what, actor, word)
SELECT id, shop_id, opened_at, what, CASE what WHEN 'opened' THEN '' ELSE 'staff:1' END, ''
FROM ticket CROSS JOIN unnest('{opened,taken,prioritised}'::text[]) what;
INSERT INTO care_wish (ticket_id, shop_id, parcel_id, order_id, kind, actor, asked_at)
SELECT id, shop_id, parcel_id, order_id, 'urge', 'staff:1', opened_at FROM ticket WHERE id %% 10 = 0;
INSERT INTO care_view (actor, name, filters, created_at)
SELECT 'staff:61', '视图 ' || i, 'cause=lost&shop=' || i, %(now)s FROM generate_series(1, 8) i;
