-- Parcels with their contents, attempts, numbers, labels, prints and subscriptions; a few numbers given back.

INSERT INTO parcel (id, shop_id, warehouse_id, person_id, account_id, carrier, stage, mend, weight_g, created_at,
                    issued_at, printed_at, dispatched_at, dispatched_by, moved_at)
SELECT id, shop_id, warehouse_id, id, 1, carrier, stage, CASE stage WHEN 'refused' THEN 'number_pool_empty' ELSE '' END,
       500, at, CASE WHEN stage <> 'refused' THEN at + interval '1 hour' END,
       CASE WHEN stage IN ('printed', 'dispatched') THEN at + interval '2 hours' END, left_at, 'scan',
       LEAST(at + interval '5 hours', %(now)s)
FROM seed WHERE stage <> '' ORDER BY i;
INSERT INTO parcel_order (parcel_id, order_id, shop_id)
SELECT id, id, shop_id FROM seed WHERE stage <> '' ORDER BY i;
INSERT INTO parcel_line (parcel_id, order_line_id, shop_id, quantity)
SELECT id, id, shop_id, 2 FROM seed WHERE stage <> '' ORDER BY i;
INSERT INTO take (id, parcel_id, shop_id, account_id, code, state, number, asked_at, answered_at, attempts, created_at)
SELECT id, id, shop_id, 1, 'WS' || id,
       CASE WHEN stage = 'refused' THEN 'refused' WHEN i %% 20000 = 7 THEN 'abandoned' ELSE 'bound' END,
       CASE stage WHEN 'refused' THEN '' ELSE carrier || lpad(i::text, 12, '0') END, at, at, 1, at
FROM seed WHERE stage <> '' ORDER BY i;
INSERT INTO binding (id, parcel_id, shop_id, take_id, aggregator_id, carrier, number, owns_from, bound_at, owns_until)
SELECT id, id, shop_id, id, 1, carrier, carrier || lpad(i::text, 12, '0'), at, at, at + CASE state
       WHEN 'delivered' THEN interval '18 days' END
FROM seed WHERE stage IN ('issued', 'printed', 'dispatched') ORDER BY i;
INSERT INTO label (id, parcel_id, binding_id, shop_id, source, key_id, sealed, made_at)
SELECT id, id, id, shop_id, 'own', 1, '', at FROM seed WHERE stage IN ('issued', 'printed', 'dispatched') ORDER BY i;
INSERT INTO print (label_id, parcel_id, shop_id, printer_id, state, queued_at, printed_at)
SELECT id, id, shop_id, warehouse_id,
       CASE WHEN stage = 'issued' THEN 'queued' WHEN i %% 5000 = 3 THEN 'failed' ELSE 'printed' END, at,
       CASE WHEN stage <> 'issued' THEN at + interval '2 hours' END
FROM seed WHERE stage IN ('issued', 'printed', 'dispatched') ORDER BY i;
INSERT INTO subscription (binding_id, shop_id, state, asked_count, asked_at, died_at)
SELECT id, shop_id, CASE WHEN age > 3.5 THEN 'ended' WHEN i %% 500 = 0 THEN 'died' ELSE 'live' END, 1, at,
       CASE WHEN age <= 3.5 AND i %% 500 = 0 THEN at END
FROM seed WHERE stage IN ('issued', 'printed', 'dispatched') ORDER BY i;
INSERT INTO waybill_cancel (id, parcel_id, shop_id, take_id, binding_id, carrier, number, state, reason, asked_at)
SELECT id, id, shop_id, id, id, carrier, carrier || lpad(i::text, 12, '0'),
       (ARRAY['confirmed', 'confirmed', 'refused', 'unsupported'])[1 + i / 400 %% 4], 'address', at
FROM seed WHERE i %% 400 = 0 AND stage = 'dispatched';
