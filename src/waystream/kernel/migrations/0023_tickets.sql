-- Care: tickets, their log, and when a shop's people work.

-- What a person has to look after: one open for one thing and cause.
CREATE TABLE ticket (
    id bigint PRIMARY KEY, -- time-ordered
    shop_id bigint NOT NULL REFERENCES shop,
    cause text NOT NULL,
    kind text NOT NULL DEFAULT '',
    state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'taken', 'closed')),
    priority text NOT NULL CHECK (priority IN ('high', 'normal', 'low')),
    severity smallint NOT NULL CHECK (severity BETWEEN 1 AND 3),
    times int NOT NULL DEFAULT 1, -- how often the same trouble came
    parcel_id bigint REFERENCES parcel,
    order_id bigint REFERENCES orders, -- of a parcel with several orders the first
    slowdown_id bigint,
    -- the one thing it is about, as a trouble names it
    about text NOT NULL GENERATED ALWAYS AS (
        CASE WHEN slowdown_id IS NOT NULL THEN 'slowdown:' || slowdown_id::text
             WHEN parcel_id IS NOT NULL THEN 'parcel:' || parcel_id::text
             ELSE 'order:' || order_id::text END) STORED,
    because text NOT NULL, -- where "why?" leads
    trouble_at timestamptz NOT NULL, -- since when it is wrong
    opened_at timestamptz NOT NULL,
    raised_at timestamptz,
    reopened_at timestamptz,
    clock_at timestamptz NOT NULL, -- from when on the time to act runs
    due_at timestamptz NOT NULL,
    assignee text NOT NULL DEFAULT '', -- staff:ID, key:ID
    taken_at timestamptz,
    closed_at timestamptz,
    closed_by text NOT NULL DEFAULT '', -- empty: by itself
    ending text NOT NULL DEFAULT '',
    merged_into bigint REFERENCES ticket,
    version int NOT NULL DEFAULT 1,
    CHECK (num_nonnulls(parcel_id, order_id, slowdown_id) > 0),
    CHECK ((state = 'taken') = (assignee <> '') OR state = 'closed'),
    CHECK ((state = 'closed') = (closed_at IS NOT NULL)),
    CHECK ((state = 'closed') = (ending <> '')),
    CHECK ((ending = 'merged') = (merged_into IS NOT NULL))
);
-- One open ticket for one thing and cause.
CREATE UNIQUE INDEX ticket_once ON ticket (about, cause, shop_id) WHERE state <> 'closed';
-- The queue: what is due first.
CREATE INDEX ticket_queue ON ticket (shop_id, due_at, id) WHERE state <> 'closed';
CREATE INDEX ticket_mine ON ticket (assignee, due_at, id) WHERE state = 'taken';
CREATE INDEX ticket_closed ON ticket (shop_id, closed_at DESC, id DESC) WHERE state = 'closed';
-- What every movement of a parcel looks at.
CREATE INDEX ticket_open_parcel ON ticket (parcel_id) WHERE state <> 'closed';
CREATE INDEX ticket_parcel ON ticket (parcel_id, id DESC);
CREATE INDEX ticket_order ON ticket (order_id, id DESC);
CREATE INDEX ticket_about ON ticket (about, cause, id DESC);
CALL hold_by_shop('ticket');

-- What happened to a ticket, oldest first. A note's text is sealed: people write names and phones.
CREATE TABLE ticket_entry (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    ticket_id bigint NOT NULL REFERENCES ticket ON DELETE CASCADE,
    shop_id bigint NOT NULL,
    at timestamptz NOT NULL,
    what text NOT NULL CHECK (what IN ('opened', 'raised', 'reopened', 'taken', 'released', 'handed_over',
        'prioritised', 'note', 'said', 'closed', 'merged')),
    actor text NOT NULL DEFAULT '', -- empty: by itself
    word text NOT NULL DEFAULT '', -- the kind, the ending, the priority, whom it was handed to
    because text NOT NULL DEFAULT '',
    key_id bigint REFERENCES vault_key,
    sealed bytea NOT NULL DEFAULT ''
);
CREATE INDEX ticket_entry_ticket ON ticket_entry (ticket_id, id);
CALL hold_by_shop('ticket_entry');

-- When a shop's people work, and how many working minutes they have by priority. Without a row the defaults hold.
CREATE TABLE care_hours (
    shop_id bigint PRIMARY KEY REFERENCES shop,
    zone text NOT NULL,
    weekdays text NOT NULL, -- '12345': Monday to Friday
    opens int NOT NULL CHECK (opens BETWEEN 0 AND 1439), -- minutes after midnight
    closes int NOT NULL CHECK (closes BETWEEN 1 AND 1440 AND closes > opens),
    calendar text NOT NULL, -- whose holidays count: a country's code, empty for none
    days_off date[] NOT NULL DEFAULT '{}', -- closed besides
    days_on date[] NOT NULL DEFAULT '{}', -- open all the same
    high_minutes int NOT NULL,
    normal_minutes int NOT NULL,
    low_minutes int NOT NULL,
    reopen_days int NOT NULL, -- what closed no longer ago opens again instead of anew
    changed_at timestamptz NOT NULL
);
CALL hold_by_shop('care_hours');
