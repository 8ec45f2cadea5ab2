"""One order: its parcels with their way and why, the buyer masked, the money, the labels, what can be done."""
