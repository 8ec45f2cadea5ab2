-- Facts up: raw pushes, scans, snapshots, claims, decisions, and the track folded from them.

-- Every accepted push by its digest: the same bytes again are answered yes and stop here. The raw bytes are sealed.
CREATE TABLE inbox (
    digest bytea PRIMARY KEY,
    id bigint NOT NULL UNIQUE, -- time-ordered
    aggregator_id bigint NOT NULL REFERENCES aggregator,
    received_at timestamptz NOT NULL,
    size int NOT NULL,
    key_id bigint NOT NULL REFERENCES vault_key,
    sealed bytea STORAGE EXTERNAL NOT NULL -- sealed bytes do not compress
);
CREATE INDEX inbox_age ON inbox (received_at);

-- The hot row of a parcel: where it is by the facts of its binding.
CREATE TABLE track (
    parcel_id bigint PRIMARY KEY REFERENCES parcel ON DELETE CASCADE,
    shop_id bigint NOT NULL,
    binding_id bigint NOT NULL REFERENCES binding,
    -- of the parcel and its binding, so that lists by state need no join: set by place_track() below
    warehouse_id bigint NOT NULL,
    carrier text NOT NULL,
    state text NOT NULL DEFAULT 'awaiting_collection',
    kind text NOT NULL DEFAULT '',
    direction text NOT NULL DEFAULT 'out' CHECK (direction IN ('out', 'back')),
    at timestamptz,
    because text NOT NULL DEFAULT '',
    collected_at timestamptz,
    delivered_at timestamptz,
    scanned_at timestamptz, -- when the newest standing scan happened
    latest text NOT NULL DEFAULT '', -- the newest standing scan's text, masked, for lists
    due_at timestamptz, -- when its next scan is due
    changed_at timestamptz NOT NULL
) WITH (fillfactor = 80);
-- Every list of parcels by state: what stands in `tally`, each of it newest first.
CREATE INDEX track_listed ON track (shop_id, warehouse_id, carrier, state, kind, changed_at DESC, parcel_id DESC);
-- The overview: how punctually the newest of today arrived.
CREATE INDEX track_delivered ON track (shop_id, delivered_at DESC, parcel_id DESC) WHERE delivered_at IS NOT NULL;
CREATE INDEX track_due ON track (due_at) WHERE due_at IS NOT NULL;
CALL hold_by_shop('track');

CREATE FUNCTION place_track() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    SELECT parcel.warehouse_id, binding.carrier INTO NEW.warehouse_id, NEW.carrier
    FROM binding JOIN parcel ON parcel.id = binding.parcel_id WHERE binding.id = NEW.binding_id;
    RETURN NEW;
END
$$;
CREATE TRIGGER placed BEFORE INSERT ON track FOR EACH ROW EXECUTE FUNCTION place_track();
CREATE TRIGGER placed_again BEFORE UPDATE ON track FOR EACH ROW
    WHEN (NEW.binding_id <> OLD.binding_id) EXECUTE FUNCTION place_track();

CREATE TABLE scan (
    parcel_id bigint NOT NULL,
    key bigint NOT NULL,
    shop_id bigint NOT NULL,
    binding_id bigint NOT NULL,
    source text NOT NULL,
    at timestamptz NOT NULL,
    raw_time text NOT NULL,
    text text NOT NULL, -- personal phone digits replaced at the door; the raw is in the sealed push
    code text NOT NULL,
    coded_at timestamptz NOT NULL, -- push time of the telling whose code this is
    state text NOT NULL,
    kind text NOT NULL,
    coarse boolean NOT NULL,
    location text NOT NULL,
    inbox_id bigint NOT NULL,
    withdrawn_at timestamptz,
    PRIMARY KEY (parcel_id, key)
) PARTITION BY RANGE (parcel_id);
CREATE TABLE scan_default PARTITION OF scan DEFAULT;
CALL hold_by_shop('scan');

-- What one source last told of one waybill: its newest whole list (the known-set, which also says what stands) and its
-- newest claim. One row, since a push nearly always brings both.
CREATE TABLE telling (
    binding_id bigint NOT NULL REFERENCES binding,
    source text NOT NULL,
    parcel_id bigint NOT NULL,
    shop_id bigint NOT NULL,
    listed_at timestamptz, -- push time of the list
    codes jsonb NOT NULL DEFAULT '{}', -- the list: scan key -> code
    whole boolean NOT NULL DEFAULT true, -- the list holds every scan this source ever told, as stored
    claimed_at timestamptz, -- push time of the claim
    claim_code text NOT NULL DEFAULT '',
    claim_state text NOT NULL DEFAULT '',
    claim_kind text NOT NULL DEFAULT '',
    claim_coarse boolean NOT NULL DEFAULT false,
    claimed jsonb NOT NULL DEFAULT '{}', -- claim code -> when the source first told it
    inbox_id bigint NOT NULL, -- the push that told the claim, or the list where there is none
    PRIMARY KEY (binding_id, source)
) WITH (fillfactor = 80);
CALL hold_by_shop('telling');

CREATE TABLE decision (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    parcel_id bigint NOT NULL REFERENCES parcel,
    shop_id bigint NOT NULL,
    verdict text NOT NULL CHECK (verdict IN ('delivered', 'lost', 'returned')),
    actor text NOT NULL,
    reason text NOT NULL,
    at timestamptz NOT NULL,
    withdrawn_at timestamptz,
    withdrawn_by text NOT NULL DEFAULT ''
);
CREATE INDEX decision_parcel ON decision (parcel_id);
CALL hold_by_shop('decision');

-- Waybills nobody here has bound (yet): kept whole, adopted when the binding appears.
CREATE TABLE stranger (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    aggregator_id bigint NOT NULL REFERENCES aggregator,
    carrier text NOT NULL,
    number text NOT NULL,
    state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'adopted', 'dismissed')),
    pushes int NOT NULL DEFAULT 1,
    inbox_id bigint NOT NULL,
    first_at timestamptz NOT NULL,
    last_at timestamptz NOT NULL,
    UNIQUE (aggregator_id, carrier, number, inbox_id)
);
CREATE INDEX stranger_number ON stranger (number, carrier, inbox_id) WHERE state = 'waiting';
-- /strangers, newest push first; then the sweep that adopts.
CREATE INDEX stranger_inbox ON stranger (inbox_id DESC, number DESC, carrier DESC) WHERE state = 'waiting';
CREATE INDEX stranger_last ON stranger (last_at) WHERE state = 'waiting';

-- Scans of a bound number outside the time its binding owns: listed for a person, never dropped.
CREATE TABLE disputed_scan (
    number text NOT NULL,
    carrier text NOT NULL,
    key bigint NOT NULL,
    parcel_id bigint NOT NULL,
    shop_id bigint NOT NULL,
    at timestamptz NOT NULL,
    text text NOT NULL,
    code text NOT NULL,
    inbox_id bigint NOT NULL,
    seen_at timestamptz NOT NULL,
    settled_by text NOT NULL DEFAULT '', -- the person who looked at it
    PRIMARY KEY (parcel_id, key)
);
CREATE INDEX disputed_scan_open ON disputed_scan (seen_at) WHERE settled_by = '';
CALL hold_by_shop('disputed_scan');

-- Signed bytes we could not read, or that failed alone: kept sealed until a mended reader takes them.
CREATE TABLE quarantine (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    digest bytea NOT NULL UNIQUE,
    aggregator_id bigint NOT NULL REFERENCES aggregator,
    reason text NOT NULL,
    key_id bigint NOT NULL REFERENCES vault_key,
    sealed bytea NOT NULL,
    received_at timestamptz NOT NULL,
    healed_at timestamptz
);
CREATE INDEX quarantine_open ON quarantine (received_at DESC, id DESC) WHERE healed_at IS NULL;

CREATE TABLE unknown_code (
    source text NOT NULL,
    carrier text NOT NULL,
    code text NOT NULL,
    seen bigint NOT NULL,
    first_at timestamptz NOT NULL,
    last_at timestamptz NOT NULL,
    PRIMARY KEY (source, carrier, code)
);
