"""What must always hold: one file a sentence, checked in tests, by `waystream doctor` and on the overview.

An invariant has `SQL`, which selects the rows that break it, or `broken(tx)`, which says them.
"""
