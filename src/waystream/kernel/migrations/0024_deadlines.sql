-- What the calendar says and no carrier: until when an order has to leave and arrive, a parcel to be fetched.

-- What a shop asks of the calendar; one without a row has the usual hours and watches everything.
CREATE TABLE deadline_setting (
    shop_id bigint PRIMARY KEY REFERENCES shop,
    ship_by_h int NOT NULL CHECK (ship_by_h BETWEEN 1 AND 720),
    collection_h int NOT NULL CHECK (collection_h BETWEEN 1 AND 720),
    pickup_h int NOT NULL CHECK (pickup_h BETWEEN 1 AND 720),
    off text[] NOT NULL DEFAULT '{}' -- kinds of deadlines the shop does not watch
);
CALL hold_by_shop('deadline_setting');

-- One of an order or parcel and kind. What was never missed leaves no row behind.
CREATE TABLE deadline (
    subject_id bigint NOT NULL, -- an order's for ship_by and promise, a parcel's otherwise
    kind text NOT NULL CHECK (kind IN ('ship_by', 'promise', 'collection', 'pickup')),
    shop_id bigint NOT NULL,
    warehouse_id bigint NOT NULL,
    since timestamptz NOT NULL, -- from when it counts
    due_at timestamptz NOT NULL,
    stand text NOT NULL CHECK (stand IN ('open', 'missed', 'met', 'lifted')),
    missed_at timestamptz, -- when it was told as missed
    ended_at timestamptz,
    PRIMARY KEY (subject_id, kind)
);
-- The sweep: what is due.
CREATE INDEX deadline_due ON deadline (due_at) WHERE stand = 'open';
-- Lists: what is due soon and what was missed, of a shop and warehouse.
CREATE INDEX deadline_listed ON deadline (shop_id, warehouse_id, kind, stand, due_at, subject_id)
    WHERE stand IN ('open', 'missed');
CALL hold_by_shop('deadline');
