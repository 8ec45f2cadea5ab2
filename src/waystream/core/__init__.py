"""The language of Waystream: pure values and functions. No I/O, no clock, no randomness."""
