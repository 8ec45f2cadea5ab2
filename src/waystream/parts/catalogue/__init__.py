"""The catalogue: what is sold (SKUs) and from where it leaves (warehouses).

Owns: sku, warehouse. Answers: upsert, list and find both. Says nothing.
A warehouse's sender is sealed like a person: read it with
`core.person.from_bytes(open_sealed(key, sealed, aad=warehouse_aad(code))).contact`.
"""
