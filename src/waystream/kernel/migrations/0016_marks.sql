-- Marks of the list a source told last: digests of its beginnings as its lines are written, so that what is told again is
-- known without being read. Eight bytes a line; none where the list cannot be known so.
ALTER TABLE telling ADD COLUMN marks bytea NOT NULL DEFAULT '';
