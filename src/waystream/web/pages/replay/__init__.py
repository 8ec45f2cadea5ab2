"""Replays: kept pushes read again with today’s tables, the difference first."""
