-- Kept pushes read again with today's tables: what would be another fact's meaning, seen first, applied once.

-- One replay: which pushes, how far it is, what came of it. It is carried on by whoever asks for it or by a job.
CREATE TABLE replay (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    since timestamptz NOT NULL,
    until timestamptz NOT NULL,
    carrier text NOT NULL DEFAULT '',
    number text NOT NULL DEFAULT '',
    code text NOT NULL DEFAULT '',
    parcel_id bigint,
    actor text NOT NULL,
    asked_at timestamptz NOT NULL,
    state text NOT NULL DEFAULT 'comparing' CHECK (state IN ('comparing', 'compared', 'applying', 'applied', 'stopped')),
    position bigint NOT NULL, -- the id of the last push that was read
    pushes bigint NOT NULL DEFAULT 0, -- read so far
    pushes_of bigint NOT NULL, -- to be read
    unread bigint NOT NULL DEFAULT 0, -- whose key is gone, or that today's reader refuses
    ended_at timestamptz
);

-- A scan that says something else by today's tables.
CREATE TABLE replay_scan (
    replay_id bigint NOT NULL REFERENCES replay ON DELETE CASCADE,
    parcel_id bigint NOT NULL,
    key bigint NOT NULL,
    shop_id bigint NOT NULL,
    binding_id bigint NOT NULL,
    source text NOT NULL,
    code text NOT NULL, -- empty: its words were read
    state_before text NOT NULL,
    kind_before text NOT NULL,
    coarse_before boolean NOT NULL,
    state text NOT NULL,
    kind text NOT NULL,
    coarse boolean NOT NULL,
    PRIMARY KEY (replay_id, parcel_id, key)
);
CALL hold_by_shop('replay_scan');

-- A claim that says something else by today's tables.
CREATE TABLE replay_claim (
    replay_id bigint NOT NULL REFERENCES replay ON DELETE CASCADE,
    binding_id bigint NOT NULL,
    source text NOT NULL,
    parcel_id bigint NOT NULL,
    shop_id bigint NOT NULL,
    code text NOT NULL,
    state_before text NOT NULL,
    kind_before text NOT NULL,
    coarse_before boolean NOT NULL,
    state text NOT NULL,
    kind text NOT NULL,
    coarse boolean NOT NULL,
    PRIMARY KEY (replay_id, binding_id, source)
);
CALL hold_by_shop('replay_claim');

-- What that does to each parcel: where it is and where it would be, and the events that say so (none: only its history).
CREATE TABLE replay_parcel (
    replay_id bigint NOT NULL REFERENCES replay ON DELETE CASCADE,
    parcel_id bigint NOT NULL,
    shop_id bigint NOT NULL,
    state_before text NOT NULL,
    kind_before text NOT NULL,
    direction_before text NOT NULL,
    state text NOT NULL,
    kind text NOT NULL,
    direction text NOT NULL,
    events text[] NOT NULL,
    applied_at timestamptz,
    PRIMARY KEY (replay_id, parcel_id)
);
CREATE INDEX replay_parcel_pending ON replay_parcel (replay_id, parcel_id) WHERE applied_at IS NULL;
CALL hold_by_shop('replay_parcel');

-- Pushes of the quarantine that were tried again: what they would bring, or what still stands in their way.
CREATE TABLE replay_quarantine (
    replay_id bigint NOT NULL REFERENCES replay ON DELETE CASCADE,
    quarantine_id bigint NOT NULL REFERENCES quarantine,
    scans bigint NOT NULL DEFAULT 0,
    moved bigint NOT NULL DEFAULT 0,
    said text NOT NULL DEFAULT '', -- why it cannot be taken in; empty: it can
    taken_at timestamptz,
    PRIMARY KEY (replay_id, quarantine_id)
);
