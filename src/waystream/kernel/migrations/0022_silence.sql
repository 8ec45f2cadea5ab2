-- Silence: parcels whose next scan was overdue, and slow-downs that explain many of them at once.

-- Many parcels of one carrier silent at one place (or, with an empty place, in the whole network) at the same time.
CREATE TABLE slowdown (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    carrier text NOT NULL,
    place text NOT NULL,
    began_at timestamptz NOT NULL, -- when it was seen
    silent int NOT NULL, -- how many were silent then …
    expected double precision NOT NULL, -- … and how many were to be expected
    ended_at timestamptz
);
CREATE UNIQUE INDEX slowdown_open ON slowdown (carrier, place) WHERE ended_at IS NULL;
CREATE INDEX slowdown_ended ON slowdown (ended_at DESC) WHERE ended_at IS NOT NULL;

-- A parcel that was silent beyond the time its next scan was due. One open row for a parcel; rows that ended are history.
CREATE TABLE silence (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    parcel_id bigint NOT NULL REFERENCES parcel ON DELETE CASCADE,
    shop_id bigint NOT NULL,
    carrier text NOT NULL,
    place text NOT NULL, -- where it was scanned last; empty: nobody said
    stage text NOT NULL, -- the state it is silent in
    silent_since timestamptz NOT NULL,
    due_at timestamptz NOT NULL,
    state text NOT NULL DEFAULT 'asked' CHECK (state IN ('asked', 'stalled', 'heard', 'stirred', 'over')),
    slowdown_id bigint REFERENCES slowdown,
    found_at timestamptz NOT NULL,
    stalled_at timestamptz,
    ended_at timestamptz
);
CREATE UNIQUE INDEX silence_open ON silence (parcel_id) WHERE state IN ('asked', 'stalled');
CREATE INDEX silence_place ON silence (carrier, place) WHERE state IN ('asked', 'stalled');
CREATE INDEX silence_slowdown ON silence (slowdown_id, parcel_id) WHERE slowdown_id IS NOT NULL;
CREATE INDEX silence_ended ON silence (ended_at) WHERE ended_at IS NOT NULL;
CALL hold_by_shop('silence');

-- Which shops were told of a slow-down: each that has parcels in it, once.
CREATE TABLE slowdown_shop (
    slowdown_id bigint NOT NULL REFERENCES slowdown,
    shop_id bigint NOT NULL,
    told_at timestamptz NOT NULL,
    PRIMARY KEY (slowdown_id, shop_id)
);
CALL hold_by_shop('slowdown_shop');
