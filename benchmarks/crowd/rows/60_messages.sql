-- What buyers and shops' own systems were told.

INSERT INTO notice_policy (shop_id, enabled, kinds_off, channels, quiet_from_min, quiet_until_min, zone, per_order_day,
                           per_person_day, gather_s, language, changed_at)
SELECT id, true, '{}', '{短信}', 1320, 480, 'Asia/Shanghai', 3, 5, 60, 'zh', %(now)s FROM shop;
INSERT INTO notice (id, shop_id, order_id, kind, letter_id, state, planned_at, due_at, composed_at, handed_at, ended_at,
                    channel, receipt, language, to_mask, to_hash, why, doubted_at)
SELECT id + nth, shop_id, id, CASE nth WHEN 1 THEN 'shipped' ELSE 'delivered' END, i || '-' || nth, told,
       at + nth * interval '8 hours', at, at, CASE WHEN told IN ('handed', 'delivered') THEN at END,
       CASE WHEN told IN ('delivered', 'refused', 'dropped') THEN at END,
       CASE WHEN told <> 'planned' THEN CASE WHEN i %% 9 = 0 THEN '客服邮箱' ELSE '短信' END ELSE '' END, '', 'zh',
       '158****6021', decode(md5((i %% 10000)::text), 'hex'),
       CASE told WHEN 'refused' THEN 'reported' WHEN 'dropped' THEN 'limit' ELSE '' END,
       CASE told WHEN 'sending' THEN at END
FROM seed CROSS JOIN generate_series(1, 2) nth CROSS JOIN LATERAL (
    SELECT CASE WHEN age < 0.1 THEN 'planned' WHEN i %% 50 = 0 THEN 'refused' WHEN i %% 20 = 1 THEN 'dropped'
                WHEN i %% 3 = 0 THEN 'handed' WHEN i %% 4001 = 0 THEN 'sending' ELSE 'delivered' END AS told) AS each
WHERE stage = 'dispatched' AND (nth = 1 OR state = 'delivered') AND i %% 5 < 3 ORDER BY i;
INSERT INTO notice_thing (order_id, parcel_id, kind, nth, shop_id, notice_id, at)
SELECT order_id, order_id, kind, 0, shop_id, id, planned_at FROM notice ORDER BY id;
INSERT INTO webhook_endpoint (shop_id, url, wanted, secret_sealed, created_at)
SELECT id, 'https://erp' || id || '.example.com/hook', '{*}', '\x00', %(now)s FROM shop;
INSERT INTO webhook_delivery (endpoint_id, shop_id, event_id, message_id, type, at, state, attempts, status)
SELECT shop_id, shop_id, i, 'msg_' || i, 'parcel.delivered', at,
       CASE WHEN i %% 200 = 0 THEN 'given_up' WHEN age < 0.1 THEN 'waiting' ELSE 'delivered' END, 1, 200
FROM seed WHERE i %% 3 = 0 ORDER BY i;
