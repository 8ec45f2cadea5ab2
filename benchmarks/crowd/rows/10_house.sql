-- Shops, people, warehouses, accounts, printers, the catalogue: what there is few of, and goods.

INSERT INTO shop (code, name, created_at)
SELECT 'shop' || i, '店铺 ' || i, %(now)s FROM generate_series(1, 8) i;
INSERT INTO staff (login, name, password_hash, role, every_shop, created_at)
SELECT 'agent' || i, '客服 ' || i, '', 'care', true, %(now)s FROM generate_series(1, 60) i;
INSERT INTO api_key (name, prefix, secret_hash, scopes, every_shop, created_by, created_at)
SELECT 'ERP ' || i, 'ws' || i, '', '{orders:read}', true, 1, %(now)s FROM generate_series(1, 30) i;
INSERT INTO printer (name, uri, state) SELECT 'A' || i, 'ipp://10.0.0.' || i, 'ready' FROM generate_series(1, 6) i;
INSERT INTO warehouse (code, name, province, city, district, key_id, sealed, contact_mask, printer_id, created_at)
SELECT 'wh' || i, '仓库 ' || i, '浙江省', '杭州市', '余杭区', 1, '', '陈**', i, %(now)s FROM generate_series(1, 3) i;
INSERT INTO aggregator (code, integration, merchant_id, key_sealed, base_url, first_push_at, last_push_at, created_at)
VALUES ('main', 'kdniao', '1', '', 'https://example.com', %(now)s, %(now)s, %(now)s);
INSERT INTO carrier_account (aggregator_id, carrier, name, parameters_sealed, available, draws, created_at)
SELECT 1, carrier, carrier, '', 20000, carrier = 'EMS', %(now)s FROM unnest('{SF,YTO,ZTO,STO,EMS}'::text[]) carrier;
INSERT INTO carrier_heard (aggregator_id, carrier, day, pushes, last_at, longest_gap_s)
SELECT 1, carrier, %(now)s::date - ago, 90000, %(now)s, 40
FROM unnest('{SF,YTO,ZTO,STO,EMS}'::text[]) carrier CROSS JOIN generate_series(0, 29) ago;
INSERT INTO sku (shop_id, code, name, category, weight_g, unit_cost_fen, changed_at)
SELECT 1 + i %% 8, 'SKU-' || lpad(i::text, 6, '0'), '龙井 ' || i || ' g', '茶', 250, 9000, %(now)s
FROM generate_series(1, %(skus)s) i;
INSERT INTO number_batch (account_id, first, last, size, actor, added_at)
SELECT 5, 'EM' || i || '0000', 'EM' || i || '9999', 2000, 'staff:1', %(now)s FROM generate_series(1, 60) i;
INSERT INTO reserved_number (carrier, number, account_id, batch_id, drawn_at)
SELECT 'EMS', 'EM' || lpad(i::text, 9, '0'), 5, 1 + i %% 60, CASE WHEN i %% 2 = 0 THEN %(now)s::timestamptz END
FROM generate_series(1, %(reserved)s) i;
