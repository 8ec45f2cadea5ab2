"""Idempotency keys: the same POST twice is one effect and one reply, kept sealed for a day."""
