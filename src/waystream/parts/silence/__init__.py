"""Silence: parcels whose next scan is overdue, and hubs or networks that slow down.

Owns: silence, slowdown, slowdown_shop. Says: ScanOverdue, ParcelStalled, ParcelStirred, SlowdownBegan, SlowdownEnded.
Answers: which parcels are stalled, and which of them a slow-down explains. When a scan is due stands on the track
(`parts.tracking`); who opens tickets are rules.
"""
