-- Files handed in to be imported, how far each is and what came of it.
CREATE TABLE import_run (
    id text PRIMARY KEY, -- random: it stands in addresses
    actor text NOT NULL,
    name text NOT NULL, -- of the file
    target text NOT NULL,
    shop text NOT NULL DEFAULT '',
    warehouse text NOT NULL DEFAULT '',
    mapping text NOT NULL DEFAULT '', -- the saved mapping to read it by
    state text NOT NULL CHECK (state IN ('kept', 'running', 'tried', 'imported', 'refused')),
    rehearsal boolean NOT NULL DEFAULT false, -- read and checked whole, then taken back
    done bigint NOT NULL DEFAULT 0,
    total bigint NOT NULL DEFAULT 0,
    result jsonb NOT NULL DEFAULT '[]',
    key_id bigint NOT NULL REFERENCES vault_key,
    columns_sealed bytea, -- header -> field chosen for this file; headers may be anything
    problems_sealed bytea,
    size_bytes bigint NOT NULL,
    given_at timestamptz NOT NULL,
    ended_at timestamptz,
    token text NOT NULL DEFAULT '', -- of the process that reads it: nobody else ends it
    beat_at timestamptz -- machine time: when that process last said that it lives
);
CREATE INDEX import_run_actor ON import_run (actor, given_at DESC);

-- The bytes of such a file, sealed in pieces: gone when it is imported or a day old.
CREATE TABLE import_piece (
    run_id text NOT NULL REFERENCES import_run ON DELETE CASCADE,
    nth int NOT NULL,
    sealed bytea STORAGE EXTERNAL NOT NULL, -- sealed bytes do not compress
    PRIMARY KEY (run_id, nth)
);

-- A mapping's headers in the order of the file.
ALTER TABLE import_mapping ALTER COLUMN columns TYPE json USING columns::json;
