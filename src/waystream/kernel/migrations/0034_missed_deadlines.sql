-- What was missed, without what is still in time.
CREATE INDEX deadline_missed ON deadline (kind, due_at, subject_id) WHERE stand = 'missed';
