-- Carriers asked instead of waiting for their pushes: after an outage that was longer than they push again, and by hand.

-- One row: when pushes could last be taken in, in business time and on the machine's clock. Written every second by the
-- processes that take pushes; a gap is an outage of all of them, or of the database.
CREATE TABLE heartbeat (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    at timestamptz NOT NULL,
    machine_at timestamptz NOT NULL DEFAULT clock_timestamp()
) WITH (fillfactor = 50);

-- A time in which pushes were lost for good: longer than the carriers push again.
CREATE TABLE outage (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    began_at timestamptz NOT NULL,
    ended_at timestamptz NOT NULL,
    state text NOT NULL DEFAULT 'noticed' CHECK (state IN ('noticed', 'asking', 'stopped', 'done')),
    integrations text[] NOT NULL, -- whose pushes were lost
    finished_at timestamptz
);

-- One asking for one parcel's trace: at most one after each outage; without an outage a person asked.
CREATE TABLE inquiry (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    outage_id bigint REFERENCES outage,
    parcel_id bigint NOT NULL REFERENCES parcel,
    shop_id bigint NOT NULL,
    binding_id bigint NOT NULL REFERENCES binding,
    place bigint NOT NULL DEFAULT 0, -- the order in which they are asked
    state text NOT NULL DEFAULT 'waiting'
        CHECK (state IN ('waiting', 'queued', 'changed', 'unchanged', 'heard', 'over', 'refused')),
    actor text NOT NULL DEFAULT '',
    asked_at timestamptz, -- when the call left, or may have left
    said text NOT NULL DEFAULT '', -- why it was refused
    created_at timestamptz NOT NULL,
    UNIQUE (outage_id, parcel_id)
);
CREATE INDEX inquiry_place ON inquiry (outage_id, place) WHERE state = 'waiting';
CREATE INDEX inquiry_open ON inquiry (outage_id, state) WHERE state IN ('waiting', 'queued');
CREATE INDEX inquiry_binding ON inquiry (binding_id, asked_at DESC);
CREATE INDEX inquiry_parcel ON inquiry (parcel_id, id DESC);
CALL hold_by_shop('inquiry');
