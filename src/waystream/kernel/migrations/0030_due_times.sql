-- Due times from history: how long gaps between scans usually are, and what follows for each carrier, lane and stage.

-- From where to where a parcel goes, coarse: its warehouse's city and its receiver's province.
ALTER TABLE track ADD COLUMN lane text NOT NULL DEFAULT '';

CREATE OR REPLACE FUNCTION place_track() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    SELECT parcel.warehouse_id, binding.carrier, warehouse.city || '>' || person.province
    INTO NEW.warehouse_id, NEW.carrier, NEW.lane
    FROM binding JOIN parcel ON parcel.id = binding.parcel_id JOIN warehouse ON warehouse.id = parcel.warehouse_id
         JOIN person ON person.id = parcel.person_id
    WHERE binding.id = NEW.binding_id;
    RETURN NEW;
END
$$;

UPDATE track SET lane = warehouse.city || '>' || person.province
FROM parcel JOIN warehouse ON warehouse.id = parcel.warehouse_id JOIN person ON person.id = parcel.person_id
WHERE parcel.id = track.parcel_id AND track.due_at IS NOT NULL;

-- Gaps between consecutive scans of parcels whose way has ended, by their length in working hours. Older ones fade.
CREATE TABLE gap_cell (
    carrier text NOT NULL,
    lane text NOT NULL,
    stage text NOT NULL, -- the state in which they were silent
    gaps real[] NOT NULL, -- how many of each length; the lengths' edges stand in parts/silence/survival.py
    days double precision NOT NULL, -- how long they were, all together
    PRIMARY KEY (carrier, lane, stage)
) WITH (fillfactor = 70);

-- When scans happen that end a silence in a stage: what an hour of the day and a kind of day weigh.
CREATE TABLE scan_pulse (
    stage text NOT NULL,
    day date NOT NULL,
    scans int[] NOT NULL, -- by the hour of the day, in China
    PRIMARY KEY (stage, day)
) WITH (fillfactor = 70);

-- How many gaps began where: the share of a carrier's parcels that a hub has. Older ones fade.
CREATE TABLE place_share (
    carrier text NOT NULL,
    place text NOT NULL,
    begun real NOT NULL,
    PRIMARY KEY (carrier, place)
) WITH (fillfactor = 70);

-- One row: the budget a person sets, and what was made of it and of the history.
CREATE TABLE patience_book (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    version bigint NOT NULL DEFAULT 0, -- grows with every publishing
    budget double precision NOT NULL DEFAULT 10 CHECK (budget > 0), -- alerts a day for a thousand parcels under way
    times double precision NOT NULL DEFAULT 3, -- so many times the usual silence is overdue
    expected double precision, -- alerts a day for a thousand parcels under way by history; null: no history yet
    gaps double precision NOT NULL DEFAULT 0, -- what was published from
    unread double precision NOT NULL DEFAULT 0, -- gaps learned since
    faded_on date, -- up to when older gaps have faded
    off date[] NOT NULL DEFAULT '{}', -- public holidays around the publishing …
    made_up date[] NOT NULL DEFAULT '{}', -- … and days of a weekend that are worked for them
    published_at timestamptz
) WITH (fillfactor = 50);
INSERT INTO patience_book DEFAULT VALUES;

-- What is allowed: an empty lane is the carrier's, an empty carrier everyone's.
CREATE TABLE patience (
    carrier text NOT NULL,
    lane text NOT NULL,
    stage text NOT NULL,
    hours double precision NOT NULL, -- working hours of silence after which the next scan is overdue
    usual_h double precision NOT NULL, -- nine silences in ten are over by then
    gaps double precision NOT NULL, -- its own, ended ones …
    waiting double precision NOT NULL, -- … and those that last
    PRIMARY KEY (carrier, lane, stage)
);

-- What an hour weighs, by stage: 24 hours of a workday, and a weekend's and a holiday's share of it.
CREATE TABLE patience_pulse (
    stage text PRIMARY KEY,
    hours double precision[] NOT NULL,
    weekend double precision NOT NULL,
    holiday double precision NOT NULL
);

-- What another budget would mean: alerts a day for a thousand parcels under way, where so many times is overdue.
CREATE TABLE patience_curve (
    times double precision PRIMARY KEY,
    expected double precision NOT NULL
);
