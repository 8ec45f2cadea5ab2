"""Backups: when the database was last kept, and what a return to an earlier moment may have forgotten.

Owns backup and restoration. Says nothing. Answers how old the newest backup is, whether that is too old, and which
restores nobody has looked through yet. The making itself is in `kernel.backup` and `kernel.restore`.
"""
