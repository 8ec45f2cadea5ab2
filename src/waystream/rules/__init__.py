"""When X, then Y: one file a sentence. `ls` is the table of what happens by itself.

A rule has `WHEN` (the events it reads), `START` (where a new rule begins in the log: "beginning" or "end") and
`do(tx, events)`, which runs in the transaction that moves its cursor: its effects happen exactly once.
"""
