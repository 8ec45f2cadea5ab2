"""Tracking: what carriers and people told of a parcel, and where it is because of it.

Owns inbox, inbox_digest, track, scan, scan_detached, afterlife, telling, decision, stranger, disputed_scan, quarantine,
unknown_code and clock_ahead. Says the events of `core.events.tracking`, `SubscriptionDied` and
`CancelledNumberScanned`. Answers where a parcel is, since when, and why.
"""
