"""Silence: who is silent for too long, what slows down, and how many alerts a person wants."""
