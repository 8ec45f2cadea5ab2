-- Deliveries are looked at once late scans are in: a deadline of a kind of its own, and what was found to be wrong.
ALTER TABLE deadline DROP CONSTRAINT deadline_kind_check, ADD CONSTRAINT deadline_kind_check
    CHECK (kind IN ('ship_by', 'promise', 'collection', 'pickup', 'verification'));
ALTER TABLE deadline ADD COLUMN doubts text[] NOT NULL DEFAULT '{}'; -- of a delivery: what is wrong with it
-- Deliveries that were in order are forgotten after a while.
CREATE INDEX deadline_verified ON deadline (ended_at) WHERE kind = 'verification' AND stand = 'met';
