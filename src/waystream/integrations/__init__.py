"""Open list: one folder per outside thing, each pure bytes <-> values; only `kernel.exchange` moves the bytes."""
