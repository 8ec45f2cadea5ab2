"""Orders: what shops sold, to whom it goes, and the one word that says how far each is.

Owns: person, person_index, orders, order_line. Answers: accept, cancel, hold, release, confirm, search,
list, get, unmask, erase, derive, and the import of files.
Says: OrderReceived, OrderChanged, OrderHeld, OrderReleased, OrderCancelled, OrderMoved, OrderCompleted.
A sealed receiver is read with `core.person.from_bytes(open_sealed(key, sealed, aad=person_aad(person_id)))`.
Who turns parcels' movements into calls of `derive` is `rules/parcel_moves_order.py`.
"""
