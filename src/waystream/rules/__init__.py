"""When X, then Y: one file a sentence. `ls` is the table of what happens by itself.

A rule has its sentence (the docstring, and `SENTENCE_ZH` in Chinese), `WHEN` (the events it reads), `START` (where a
new rule begins in the log: "beginning" or "end") and `do(tx, events)`, which runs in the transaction that moves its
cursor: its effects happen exactly once. `REPEATABLE = True` says that digesting an event again changes nothing, because
the rule looks only at what stands now: such a rule can be replayed.
"""
