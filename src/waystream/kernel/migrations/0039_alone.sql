-- A silence that lasts far longer than a slow-down explains is its parcel's own trouble, since then.
ALTER TABLE silence ADD COLUMN alone_at timestamptz;
