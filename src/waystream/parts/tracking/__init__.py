"""Tracking: what carriers and people told of a parcel, and where it is because of it.

Owns inbox, track, scan, scan_detached, afterlife, telling, decision, stranger, disputed_scan, quarantine and
unknown_code. Says the events of `core.events.tracking`, `SubscriptionDied` and `CancelledNumberScanned`. Answers where
a parcel is, since when, and why.
"""
