"""Waybills pushed to us that nobody bound, pushes nobody could read, codes nobody knows, scans in dispute."""
