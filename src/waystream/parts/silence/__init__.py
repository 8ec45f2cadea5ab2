"""Silence: parcels whose next scan is overdue, and hubs or networks that slow down.

Owns: silence, slowdown, slowdown_shop; what history taught (gap_cell, scan_pulse, place_share) and the patience
published from it. Says: ScanOverdue, ParcelStalled, ParcelStirred, SlowdownBegan, SlowdownEnded, PatienceChanged.
Answers: which parcels are stalled, which of them a slow-down explains, what is allowed. When a scan is due stands on
the track (`parts.tracking`); who opens tickets are rules.
"""
