-- Buyers, and what they ordered.

INSERT INTO person (id, shop_id, key_id, sealed, plain, name_mask, phone_mask, address_mask, province, city, district,
                    content_hash, created_at)
SELECT id, shop_id, 1, '', true, '罗**', '158****6021', '桐梓林**', '四川省', '成都市', '武侯区', '', at
FROM seed ORDER BY i;
INSERT INTO person_index (shop_id, purpose, hash, person_id)
SELECT shop_id, purpose, decode(md5((i %% 10000) || purpose::text), 'hex'), id
FROM seed CROSS JOIN generate_series(1, 2) purpose;
INSERT INTO orders (id, shop_id, number, warehouse_id, person_id, payment, ship_by, promised_at, total_fen,
                    content_hash, word, dispatch, held_at, delivered_at, completed_at, received_at, moved_at)
SELECT id, shop_id, 'T' || lpad(i::text, 9, '0'), warehouse_id, id, 'prepaid', at + interval '1 day',
       at + interval '4 days', 100 * (i %% 900), '', word, CASE stage WHEN 'dispatched' THEN 'all' ELSE 'none' END,
       CASE WHEN stage = '' AND i %% 8 = 0 THEN at END, done_at,
       CASE WHEN state = 'delivered' AND age >= 12 THEN at + interval '10 days' END, at,
       LEAST(at + interval '10 days', %(now)s)
FROM seed ORDER BY i;
INSERT INTO order_line (id, order_id, shop_id, line_no, sku, name, quantity, price_fen)
SELECT id, id, shop_id, 1, 'LJ-250', '龙井 250 g', 2, 12800 FROM seed ORDER BY i;
INSERT INTO buyer_word (id, shop_id, order_id, parcel_id, kind, content_hash, said_at)
SELECT id, shop_id, id, id, 'received', '', at FROM seed WHERE i %% 200 = 0 AND stage <> '';
