-- The log, jobs, samples, and what people did.

INSERT INTO event (at, shop_id, name, subject, body, cause)
SELECT at + nth * interval '12 hours', shop_id, name, CASE nth WHEN 0 THEN 'order:' ELSE 'parcel:' END || id,
       jsonb_build_object('order_ids', jsonb_build_array(id), 'after', 'arrived_at_outlet'), 'push:' || i
FROM seed CROSS JOIN unnest('{OrderReceived,WaybillIssued,ParcelMoved,OutForDelivery}'::text[])
     WITH ORDINALITY AS told (name, nth) WHERE at + nth * interval '12 hours' <= %(now)s ORDER BY i;
INSERT INTO log (position, event_id) SELECT id, id FROM event ORDER BY id;
UPDATE sequencer SET position = (SELECT max(position) FROM log);
INSERT INTO rule_cursor (rule, position, moved_at)
SELECT rule, position - 10, %(now)s FROM unnest(%(rules)s::text[]) rule CROSS JOIN sequencer;
INSERT INTO parked (rule, event_id, subject, error, parked_at)
SELECT (%(rules)s::text[])[1], id, subject, CASE WHEN id %% 2 = 0 THEN 'IndexError' ELSE '' END, %(now)s
FROM event ORDER BY id DESC LIMIT 150;
INSERT INTO rule_request (rule, wish, actor, asked_at, state)
SELECT (%(rules)s::text[])[1], 'retry', 'staff:1', %(now)s, 'done' FROM generate_series(1, 200);
INSERT INTO audit (at, shop_id, actor, action, subject)
SELECT %(now)s::timestamptz - i * interval '20 seconds', 1 + i / 4 %% 8, 'staff:' || i %% 20,
       (ARRAY['ship', 'hold', 'unmask', 'dispatch'])[1 + i %% 4], 'order:' || i
FROM generate_series(1, %(audit)s) i;
INSERT INTO job (kind, shop_id, key, subject, state, error, finished_at)
SELECT 'subscribe', 1 + i %% 8, i::text, 'parcel:' || i,
       CASE WHEN i < 2000 THEN 'ready' WHEN i < 4000 THEN 'given_up' ELSE 'done' END, '',
       CASE WHEN i >= 2000 THEN %(now)s::timestamptz END
FROM generate_series(1, %(jobs)s) i;
INSERT INTO machine_sample (at, source, body)
SELECT clock_timestamp() - nth * interval '10 seconds', 'database', jsonb_build_object(
           'position', 1000000, 'unplaced', 0, 'unplaced_s', 0, 'size_bytes', 9000000000, 'queues', '[]'::jsonb,
           'rules', (SELECT jsonb_agg(jsonb_build_object('rule', rule, 'position', 1, 'lag', 0, 'parked', 0))
                     FROM unnest(%(rules)s::text[]) rule))
FROM generate_series(1, 2000) nth;
INSERT INTO machine_sample (at, source, body)
SELECT clock_timestamp() - nth * interval '10 seconds', 'push:' || process, jsonb_build_object(
           'taken', 900, 'again', 0, 'unsigned', 0, 'unreadable', 0, 'commit_ms', array_fill(40, ARRAY[19]),
           'group_pushes', array_fill(9, ARRAY[10]))
FROM generate_series(1, 2000) nth CROSS JOIN generate_series(1, 2) process;
INSERT INTO finding (name, sentence, sentence_zh, state, broken, since, checked_at, due_at)
SELECT 'finding_' || i, 'It holds.', '始终成立。', 'holds', '{}', %(now)s, %(now)s, clock_timestamp() + interval '1 day'
FROM generate_series(1, 30) i;
INSERT INTO backup (name, folder, began_at, ended_at, bytes, whole, line)
SELECT 'base-' || i, '/backups', at, at, 9000000000, true, 'a'
FROM (SELECT i, clock_timestamp() - i * interval '1 day' AS at FROM generate_series(0, 90) i);
INSERT INTO import_run (id, actor, name, target, state, done, total, key_id, size_bytes, given_at, ended_at)
SELECT 'run' || i, 'staff:61', 'orders.csv', 'orders', 'imported', 9000, 9000, 1, 900000, at, at
FROM (SELECT i, %(now)s::timestamptz - i * interval '3 hours' AS at FROM generate_series(1, 400) i);
INSERT INTO import_mapping (name, target, columns, changed_at)
SELECT 'mapping ' || i, 'orders', '{"number": "number"}', %(now)s FROM generate_series(1, 40) i;
INSERT INTO replay (since, until, actor, asked_at, state, position, pushes, pushes_of)
SELECT %(now)s, %(now)s, 'staff:1', %(now)s, 'compared', 0, 20000, 20000 FROM generate_series(1, 60);
INSERT INTO replay_scan (replay_id, parcel_id, key, shop_id, binding_id, source, code, state_before, kind_before,
                         coarse_before, state, kind, coarse)
SELECT CASE WHEN i %% 100 = 0 THEN 60 ELSE 1 + i %% 59 END, id, i, shop_id, id, 'kdniao', '2', 'unknown', '', false, 'in_transit', '', false
FROM seed WHERE i %% 20 = 0 AND stage = 'dispatched';
INSERT INTO replay_parcel (replay_id, parcel_id, shop_id, state_before, kind_before, direction_before, state, kind,
                           direction, events)
SELECT CASE WHEN i %% 100 = 0 THEN 60 ELSE 1 + i %% 59 END, id, shop_id, 'unknown', '', 'out', 'in_transit', '', 'out', '{ParcelMoved}'
FROM seed WHERE i %% 20 = 0 AND stage = 'dispatched';
