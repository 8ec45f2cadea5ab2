-- Channels: the ways a shop's messages leave by, and what its staff is still to be told.

-- What a person typed in is sealed whole: a channel's settings hold passwords, and addresses of people beside them.
CREATE TABLE channel (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    shop_id bigint NOT NULL REFERENCES shop,
    reach text NOT NULL CHECK (reach IN ('email', 'sms', 'shop', 'staff')),
    gateway text NOT NULL,
    name text NOT NULL,
    rank smallint NOT NULL DEFAULT 100, -- the lowest is used first
    per_minute int NOT NULL CHECK (per_minute BETWEEN 1 AND 6000),
    settings_sealed bytea NOT NULL,
    priorities text[] NOT NULL DEFAULT '{}', -- of tickets its staff is told of
    causes text[] NOT NULL DEFAULT '{}', -- none: every cause
    created_at timestamptz NOT NULL,
    disabled_at timestamptz,
    removed_at timestamptz,
    test_sealed bytea, -- where the test goes that is on its way
    tested_at timestamptz,
    worked_at timestamptz,
    failed_at timestamptz, -- the last time it worked or failed, whichever was later, is how it fares
    failed_code text NOT NULL DEFAULT '',
    failed_said text NOT NULL DEFAULT '',
    reported_at timestamptz -- a receipt came
);
CREATE UNIQUE INDEX channel_name ON channel (shop_id, lower(name)) WHERE removed_at IS NULL;
CALL hold_by_shop('channel');
