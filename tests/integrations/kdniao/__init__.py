"""Kdniao: their side of the wire and their labels."""
