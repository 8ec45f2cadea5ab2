-- Lists of deadlines across shops: what is due first, of a kind.
CREATE INDEX deadline_soonest ON deadline (kind, due_at, subject_id) WHERE stand IN ('open', 'missed');
