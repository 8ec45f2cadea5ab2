"""Rules: what happens by itself, where each stands, what it could not digest, and what can be done about it."""
