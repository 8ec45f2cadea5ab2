-- From "ship" to "left the warehouse": accounts, parcels, takes, bindings, labels, prints, cancels, subscriptions.

-- One merchant account at an aggregator (hub). Pushes arrive at /push/INTEGRATION/CODE.
CREATE TABLE aggregator (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    code text NOT NULL UNIQUE,
    integration text NOT NULL,
    merchant_id text NOT NULL,
    key_sealed bytea NOT NULL,
    base_url text NOT NULL,
    tested_at timestamptz,
    test_said text NOT NULL DEFAULT '',
    first_push_at timestamptz,
    last_push_at timestamptz,
    bad_signatures bigint NOT NULL DEFAULT 0,
    last_bad_at timestamptz,
    created_at timestamptz NOT NULL
);

-- A carrier account used through an aggregator, for every shop.
CREATE TABLE carrier_account (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    aggregator_id bigint NOT NULL REFERENCES aggregator,
    carrier text NOT NULL,
    name text NOT NULL UNIQUE,
    warehouse_id bigint REFERENCES warehouse, -- null: any
    parameters_sealed bytea NOT NULL,
    priority int NOT NULL DEFAULT 100,
    low_mark int NOT NULL DEFAULT 500,
    available int,
    balance_at timestamptz,
    disabled_at timestamptz,
    created_at timestamptz NOT NULL
);
CREATE INDEX carrier_account_pick ON carrier_account (priority, id) WHERE disabled_at IS NULL;

CREATE TABLE parcel (
    id bigint PRIMARY KEY, -- time-ordered: scans are partitioned by it
    shop_id bigint NOT NULL REFERENCES shop,
    warehouse_id bigint NOT NULL REFERENCES warehouse,
    person_id bigint NOT NULL REFERENCES person,
    account_id bigint REFERENCES carrier_account,
    carrier text NOT NULL,
    stage text NOT NULL DEFAULT 'asked'
        CHECK (stage IN ('asked', 'doubt', 'refused', 'conflict', 'issued', 'printed', 'dispatched', 'voided')),
    held_reason text NOT NULL DEFAULT '',
    mend text NOT NULL DEFAULT '', -- why refused: the key of the sentence
    mother_id bigint REFERENCES parcel,
    weight_g int NOT NULL DEFAULT 0,
    weighed_g int,
    volume_cm3 int NOT NULL DEFAULT 0,
    cod_fen bigint NOT NULL DEFAULT 0,
    declared_fen bigint NOT NULL DEFAULT 0,
    piece int NOT NULL DEFAULT 1,
    pieces int NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL,
    issued_at timestamptz,
    printed_at timestamptz,
    dispatched_at timestamptz,
    dispatched_by text NOT NULL DEFAULT '',
    moved_at timestamptz NOT NULL
);
-- Every list of parcels by stage: what stands in `tally`, each of it newest first.
CREATE INDEX parcel_listed ON parcel (shop_id, warehouse_id, carrier, stage, moved_at DESC, id DESC);
-- What a person has to settle: reports of refusals.
CREATE INDEX parcel_refused ON parcel (moved_at, id) WHERE stage = 'refused';
-- The API's held parcels.
CREATE INDEX parcel_held ON parcel (shop_id, moved_at DESC, id DESC) WHERE held_reason <> '';
-- The overview: how punctually the newest of today left.
CREATE INDEX parcel_dispatched ON parcel (shop_id, dispatched_at DESC, id DESC) WHERE dispatched_at IS NOT NULL;
CREATE INDEX parcel_person ON parcel (person_id);
CREATE INDEX parcel_mother ON parcel (mother_id) WHERE mother_id IS NOT NULL;
CALL hold_by_shop('parcel');

CREATE TABLE parcel_order (
    parcel_id bigint NOT NULL REFERENCES parcel ON DELETE CASCADE,
    order_id bigint NOT NULL REFERENCES orders,
    shop_id bigint NOT NULL,
    cod_fen bigint NOT NULL DEFAULT 0 CHECK (cod_fen >= 0), -- what this parcel collects for this order
    PRIMARY KEY (parcel_id, order_id)
);
CREATE INDEX parcel_order_order ON parcel_order (order_id, parcel_id);
CALL hold_by_shop('parcel_order');

CREATE TABLE parcel_line (
    parcel_id bigint NOT NULL REFERENCES parcel ON DELETE CASCADE,
    order_line_id bigint NOT NULL REFERENCES order_line,
    shop_id bigint NOT NULL,
    quantity int NOT NULL CHECK (quantity > 0),
    PRIMARY KEY (parcel_id, order_line_id)
);
CREATE INDEX parcel_line_line ON parcel_line (order_line_id);
CALL hold_by_shop('parcel_line');

-- One attempt to get a number. `code` is what the carrier network knows it by and is never used for another attempt.
CREATE TABLE take (
    id bigint PRIMARY KEY,
    parcel_id bigint NOT NULL REFERENCES parcel,
    shop_id bigint NOT NULL,
    account_id bigint NOT NULL REFERENCES carrier_account,
    code text NOT NULL UNIQUE,
    state text NOT NULL DEFAULT 'planned'
        CHECK (state IN ('planned', 'asked', 'doubt', 'bound', 'refused', 'conflict', 'orphan', 'abandoned')),
    number text NOT NULL DEFAULT '',
    asked_at timestamptz,
    answered_at timestamptz,
    attempts int NOT NULL DEFAULT 0,
    unwanted boolean NOT NULL DEFAULT false, -- refund or address change while the call was under way
    said text NOT NULL DEFAULT '',
    reply_key bigint REFERENCES vault_key,
    reply_sealed bytea,
    created_at timestamptz NOT NULL
);
-- A parcel has one open attempt: whoever asks elsewhere must first settle this one.
CREATE UNIQUE INDEX take_open ON take (parcel_id) WHERE state IN ('planned', 'asked', 'doubt');
CREATE INDEX take_parcel ON take (parcel_id);
CREATE INDEX take_state ON take (state, created_at) WHERE state IN ('doubt', 'conflict', 'orphan', 'abandoned');
CALL hold_by_shop('take');

-- Which number is which parcel's, from when to when. History is kept; at most one row of a parcel is live.
CREATE TABLE binding (
    id bigint PRIMARY KEY,
    parcel_id bigint NOT NULL REFERENCES parcel,
    shop_id bigint NOT NULL,
    take_id bigint REFERENCES take, -- null: a number made elsewhere
    aggregator_id bigint NOT NULL REFERENCES aggregator,
    carrier text NOT NULL,
    number text NOT NULL,
    state text NOT NULL DEFAULT 'live' CHECK (state IN ('live', 'cancelling', 'cancelled')),
    owns_from timestamptz NOT NULL, -- scans from 24 h before the number was taken …
    owns_until timestamptz, -- … until the next binding of the number or N days after the end
    bound_at timestamptz NOT NULL,
    ended_at timestamptz
);
CREATE UNIQUE INDEX binding_live_parcel ON binding (parcel_id) WHERE state IN ('live', 'cancelling');
CREATE UNIQUE INDEX binding_live_number ON binding (carrier, number) WHERE state IN ('live', 'cancelling')
    AND owns_until IS NULL;
CREATE INDEX binding_number ON binding (number text_pattern_ops, carrier);
CREATE INDEX binding_parcel ON binding (parcel_id);
CALL hold_by_shop('binding');

CREATE TABLE label (
    id bigint PRIMARY KEY,
    parcel_id bigint NOT NULL REFERENCES parcel,
    binding_id bigint NOT NULL REFERENCES binding,
    shop_id bigint NOT NULL,
    source text NOT NULL CHECK (source IN ('carrier', 'own')),
    routing jsonb NOT NULL DEFAULT '{}', -- 大头笔 and friends: no personal data
    key_id bigint NOT NULL REFERENCES vault_key,
    sealed bytea NOT NULL, -- the carrier's template, empty for our own label
    made_at timestamptz NOT NULL,
    voided_at timestamptz
);
CREATE UNIQUE INDEX label_live ON label (parcel_id) WHERE voided_at IS NULL;
CALL hold_by_shop('label');

CREATE TABLE print (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    label_id bigint NOT NULL REFERENCES label,
    parcel_id bigint NOT NULL REFERENCES parcel,
    shop_id bigint NOT NULL,
    printer_id bigint NOT NULL REFERENCES printer,
    state text NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'printing', 'printed', 'failed', 'voided')),
    reprint boolean NOT NULL DEFAULT false,
    reason text NOT NULL DEFAULT '',
    said text NOT NULL DEFAULT '',
    device_job text NOT NULL DEFAULT '',
    queued_at timestamptz NOT NULL,
    printed_at timestamptz
);
CREATE INDEX print_parcel ON print (parcel_id);
CREATE INDEX print_queue ON print (printer_id, id) WHERE state IN ('queued', 'printing');
CREATE INDEX print_failed ON print (queued_at) WHERE state = 'failed';
CALL hold_by_shop('print');

-- Giving a number back: asked -> confirmed, refused (collected already), unsupported (a person calls the carrier).
CREATE TABLE waybill_cancel (
    id bigint PRIMARY KEY,
    parcel_id bigint NOT NULL REFERENCES parcel,
    shop_id bigint NOT NULL,
    take_id bigint REFERENCES take,
    binding_id bigint REFERENCES binding, -- null: an orphan number that was never bound
    carrier text NOT NULL,
    number text NOT NULL,
    state text NOT NULL DEFAULT 'asked' CHECK (state IN ('asked', 'confirmed', 'refused', 'unsupported')),
    reason text NOT NULL,
    said text NOT NULL DEFAULT '',
    asked_at timestamptz NOT NULL,
    answered_at timestamptz,
    settled_by text NOT NULL DEFAULT '' -- the person who called the carrier: nothing is left to do
);
CREATE UNIQUE INDEX waybill_cancel_take ON waybill_cancel (take_id) WHERE take_id IS NOT NULL;
CREATE INDEX waybill_cancel_parcel ON waybill_cancel (parcel_id);
CREATE INDEX waybill_cancel_open ON waybill_cancel (state, asked_at) WHERE state <> 'confirmed';
CALL hold_by_shop('waybill_cancel');

CREATE TABLE subscription (
    binding_id bigint PRIMARY KEY REFERENCES binding,
    shop_id bigint NOT NULL,
    state text NOT NULL CHECK (state IN ('asked', 'live', 'died', 'ended')),
    asked_count int NOT NULL DEFAULT 0,
    asked_at timestamptz,
    died_reason text NOT NULL DEFAULT '',
    died_at timestamptz
);
CREATE INDEX subscription_state ON subscription (state, died_at) WHERE state = 'died';
CALL hold_by_shop('subscription');
