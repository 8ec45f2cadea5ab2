-- When the database was last kept, and what a return to an earlier moment may have forgotten.

-- Every try to make a backup, on the machine's clock. A row is written after its backup, so no backup knows of itself.
CREATE TABLE backup (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL, -- its folder's name; empty where none was made
    folder text NOT NULL,
    began_at timestamptz NOT NULL,
    ended_at timestamptz NOT NULL,
    bytes bigint NOT NULL,
    whole boolean NOT NULL, -- false: the files beside an external database only
    line text NOT NULL, -- the stream of the write-ahead log that goes on from it
    error text NOT NULL DEFAULT ''
);

-- The database came back to an earlier moment. What was asked again by itself, and what people have to look through.
CREATE TABLE restoration (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL,
    reached_at timestamptz, -- the last transaction that is here, on the machine's clock
    backup text NOT NULL,
    doubts int NOT NULL, -- attempts to get a number that may have been answered since
    prints int NOT NULL, -- labels that waited for a printer and may be on paper
    watched int NOT NULL, -- numbers whose traces were asked for again
    waiting int NOT NULL, -- orders that waited to be shipped and may have left
    settled_at timestamptz,
    settled_by text NOT NULL DEFAULT ''
);
