-- Lists that read a table from end to end, each by an index that is small or seldom written.

-- Numbers never collected: a track leaves the index with its collection, and nothing that is pushed later comes back.
CREATE INDEX track_uncollected ON track (parcel_id) WHERE collected_at IS NULL;
-- What labels a parcel had; the live one has an index of its own.
CREATE INDEX label_voided ON label (parcel_id) WHERE voided_at IS NOT NULL;
-- Every ticket of a shop, the newest first.
CREATE INDEX ticket_opened ON ticket (shop_id, opened_at DESC, id DESC);
-- Scans in dispute, the newest first, settled ones among them.
CREATE INDEX disputed_scan_seen ON disputed_scan (seen_at DESC, parcel_id DESC, key DESC);
-- Goods without a weight, which are counted.
CREATE INDEX sku_light ON sku (shop_id) WHERE weight_g = 0;
-- How many tickets nobody has taken, on every page.
CREATE INDEX ticket_untaken ON ticket (shop_id, warehouse_id) WHERE state = 'open';
-- Silent parcels, the longest first.
CREATE INDEX silence_longest ON silence (silent_since, parcel_id) WHERE state IN ('asked', 'stalled');

-- How far the asking after an outage is: counted as it goes, for an outage asks for every parcel under way.
ALTER TABLE tally DROP CONSTRAINT tally_what_check, ADD CONSTRAINT tally_what_check
    CHECK (what IN ('order', 'stage', 'state', 'passed', 'inquiry'));
CALL keep_tally('inquiry', $$
    SELECT 'inquiry' AS what, shop_id, 0 AS warehouse_id, '' AS carrier, state AS word, outage_id::text AS kind,
           '-infinity'::timestamptz AS slot
    FROM %s WHERE outage_id IS NOT NULL
$$);
INSERT INTO tally (what, shop_id, warehouse_id, carrier, word, kind, slot, n)
SELECT 'inquiry', shop_id, 0, '', state, outage_id::text, '-infinity', count(*)
FROM inquiry WHERE outage_id IS NOT NULL GROUP BY shop_id, state, outage_id;
-- What the carriers refused to tell, page by page.
CREATE INDEX inquiry_refused ON inquiry (outage_id, id) WHERE state = 'refused';
