-- Numbers a carrier assigned beforehand (号段): drawn here instead of asked for, each once.

ALTER TABLE carrier_account ADD COLUMN draws boolean NOT NULL DEFAULT false; -- takes draw from its reserved numbers

-- What was handed in at once: the first and last as told, how many were new.
CREATE TABLE number_batch (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_id bigint NOT NULL REFERENCES carrier_account,
    first text NOT NULL,
    last text NOT NULL,
    size int NOT NULL,
    actor text NOT NULL,
    added_at timestamptz NOT NULL
);
CREATE INDEX number_batch_account ON number_batch (account_id, id DESC);

-- One such number. It is drawn once and never again, whatever becomes of its parcel.
CREATE TABLE reserved_number (
    carrier text NOT NULL,
    number text NOT NULL,
    account_id bigint NOT NULL REFERENCES carrier_account,
    batch_id bigint NOT NULL REFERENCES number_batch,
    nth bigint GENERATED ALWAYS AS IDENTITY, -- drawn in the order they were handed in
    drawn_at timestamptz,
    parcel_id bigint REFERENCES parcel,
    PRIMARY KEY (carrier, number)
);
CREATE INDEX reserved_number_free ON reserved_number (account_id, nth) WHERE drawn_at IS NULL;
CREATE INDEX reserved_number_batch ON reserved_number (batch_id) WHERE drawn_at IS NULL;
