-- The warehouse of what a ticket is about: people who are limited to some see the tickets of those. None: an incident.
ALTER TABLE ticket ADD COLUMN warehouse_id bigint REFERENCES warehouse;
UPDATE ticket SET warehouse_id = coalesce((SELECT warehouse_id FROM parcel WHERE parcel.id = parcel_id),
                                          (SELECT warehouse_id FROM orders WHERE orders.id = order_id))
WHERE slowdown_id IS NULL;

-- The queue of one person, of one priority, of all shops at once.
CREATE INDEX ticket_due ON ticket (due_at, id) WHERE state <> 'closed';
