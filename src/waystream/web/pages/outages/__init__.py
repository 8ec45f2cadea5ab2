"""Outages: how long Waystream was away, and how far the asking of the carriers is."""
