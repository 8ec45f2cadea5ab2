"""What must always hold: one file a sentence, checked in tests, by `waystream doctor` and on the overview.

An invariant has its sentence (the docstring, and `SENTENCE_ZH` in Chinese) and `SQL`, which selects the rows that
break it, or `broken(tx)`, which says them.
"""
