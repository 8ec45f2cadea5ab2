-- Where parcels are, every scan that says so, what was pushed and could not be used.

INSERT INTO track (parcel_id, shop_id, binding_id, warehouse_id, carrier, state, kind, at, because, collected_at,
                   delivered_at, scanned_at, latest, due_at, changed_at, lane)
SELECT id, shop_id, id, warehouse_id, carrier, state, kind, at, 'push:' || i,
       CASE WHEN state <> 'awaiting_collection' THEN at + interval '9 hours' END, done_at, at,
       '【成都市】快件已到达【武侯网点】',
       CASE WHEN state IN ('in_transit', 'arrived_at_outlet', 'out_for_delivery')
            THEN %(now)s::timestamptz + (r - 0.05) * interval '1 day' END,
       LEAST(at + interval '3 days', %(now)s), '杭州市>四川省'
FROM seed WHERE stage IN ('issued', 'printed', 'dispatched') ORDER BY i;
INSERT INTO scan (parcel_id, key, shop_id, binding_id, source, at, raw_time, text, code, coded_at, state, kind, coarse,
                  location, inbox_id)
SELECT id, hashint8extended(id, nth), shop_id, id, 'kdniao', at + nth * interval '8 hours',
       '2026-11-09 08:12:' || 10 + nth, '【成都市】快件已到达【武侯网点】，准备发往下一站【杭州转运中心】', '2',
       at + nth * interval '8 hours',
       (ARRAY['collected', 'in_transit', 'in_transit', 'in_transit', 'arrived_at_outlet', 'out_for_delivery',
              'out_for_delivery', 'delivered'])[nth], '', false, '成都市', i
FROM seed CROSS JOIN generate_series(1, 8) AS nth WHERE stage = 'dispatched' AND nth <= steps ORDER BY i;
INSERT INTO telling (binding_id, source, parcel_id, shop_id, listed_at, claimed_at, claim_code, claim_state, inbox_id)
SELECT id, 'kdniao', id, shop_id, at, at, '2', state, i FROM seed WHERE stage = 'dispatched' AND steps > 0 ORDER BY i;
INSERT INTO decision (parcel_id, shop_id, verdict, actor, reason, at)
SELECT id, shop_id, 'lost', 'staff:1', 'claim', at FROM seed WHERE state = 'lost' ORDER BY i;
INSERT INTO stranger (aggregator_id, carrier, number, inbox_id, state, first_at, last_at)
SELECT 1, 'YTO', 'YT99' || i / 2, i / 20 + 2000 * (i %% 2), CASE WHEN i %% 10 < 2 THEN 'waiting' ELSE 'adopted' END,
       at, at
FROM (SELECT i, %(now)s::timestamptz - i * interval '1 minute' AS at FROM generate_series(1, %(strangers)s) i);
INSERT INTO inbox (digest, id, aggregator_id, received_at, size, key_id, sealed)
SELECT decode(md5(i::text), 'hex'), i, 1, %(now)s::timestamptz - i * interval '3 minutes', 900, 1, ''
FROM generate_series(1, %(pushes)s) i;
INSERT INTO disputed_scan (number, carrier, key, parcel_id, shop_id, at, text, code, inbox_id, seen_at, settled_by)
SELECT carrier || lpad(i::text, 12, '0'), carrier, i, id, shop_id, at, '【成都市】快件已到达', '2', 1, at,
       CASE WHEN i %% 1000 = 0 THEN '' ELSE 'staff:1' END
FROM seed WHERE i %% 100 = 0 AND stage = 'dispatched';
INSERT INTO quarantine (digest, aggregator_id, reason, key_id, sealed, received_at, healed_at)
SELECT decode(md5('q' || i), 'hex'), 1, 'not JSON', 1, '', at, CASE WHEN i %% 4 > 0 THEN at END
FROM (SELECT i, %(now)s::timestamptz - i * interval '5 minutes' AS at FROM generate_series(1, %(few)s) i);
INSERT INTO unread_line (aggregator_id, carrier, number, shop_id, line, reason, inbox_id, seen_at, settled_by)
SELECT 1, 'YTO', 'YT' || i, 1 + i %% 8, '{…}', 'no time', 1, %(now)s, CASE WHEN i %% 4 = 0 THEN '' ELSE 'reader' END
FROM generate_series(1, %(few)s) i;
INSERT INTO unknown_code (source, carrier, code, seen, first_at, last_at)
SELECT 'kdniao', 'YTO', 'Z' || i, i, %(now)s, %(now)s FROM generate_series(1, 300) i;
INSERT INTO outage (began_at, ended_at, state, integrations, finished_at)
SELECT at, at + interval '3 hours', 'done', '{kdniao}', at + interval '4 hours'
FROM (SELECT %(now)s::timestamptz - i * interval '10 days' AS at FROM generate_series(4, 0, -1) i);
INSERT INTO inquiry (outage_id, parcel_id, shop_id, binding_id, place, state, asked_at, created_at)
SELECT 1 + i %% 5, id, shop_id, id, i, (ARRAY['changed', 'unchanged', 'heard', 'refused'])[1 + i %% 4], at, at
FROM seed WHERE i %% 10 < 3 AND stage = 'dispatched';
