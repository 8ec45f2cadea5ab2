"""Machine: whether everything flows, in one sentence, and the figures behind it."""
