-- What a source told that cannot be as it says: scans from the future, clocks that run ahead.

-- Disputed because its time lay too far ahead when it came; told again when its time has come, it is a scan.
ALTER TABLE disputed_scan ADD COLUMN ahead boolean NOT NULL DEFAULT false;

-- Pushes whose PushTime lay too far ahead of their arrival: they count as of their arrival.
CREATE TABLE clock_ahead (
    aggregator_id bigint PRIMARY KEY REFERENCES aggregator,
    pushes bigint NOT NULL,
    first_at timestamptz NOT NULL, -- when the first and the newest of them came
    last_at timestamptz NOT NULL,
    told_at timestamptz NOT NULL, -- what the newest said
    inbox_id bigint NOT NULL
);
