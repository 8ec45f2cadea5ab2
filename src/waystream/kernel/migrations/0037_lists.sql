-- Lists that read a table from end to end, each by an index that is small or seldom written.

-- Numbers never collected: a track leaves the index with its collection, and nothing that is pushed later comes back.
CREATE INDEX track_uncollected ON track (parcel_id) WHERE collected_at IS NULL;
-- What labels a parcel had; the live one has an index of its own.
CREATE INDEX label_voided ON label (parcel_id) WHERE voided_at IS NOT NULL;
-- Every ticket of a shop, the newest first.
CREATE INDEX ticket_opened ON ticket (shop_id, opened_at DESC, id DESC);
-- Scans in dispute, the newest first, settled ones among them.
CREATE INDEX disputed_scan_seen ON disputed_scan (seen_at DESC, key);
-- Goods without a weight, which are counted.
CREATE INDEX sku_light ON sku (shop_id) WHERE weight_g = 0;
-- How many tickets nobody has taken, on every page.
CREATE INDEX ticket_untaken ON ticket (shop_id, warehouse_id) WHERE state = 'open';
