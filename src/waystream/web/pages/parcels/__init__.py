"""The list of parcels by state, and what can be done with one: dispatch, reprint, new number, void, decide, raw."""
