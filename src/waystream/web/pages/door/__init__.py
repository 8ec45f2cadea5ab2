"""Before anybody is in: sign-in, the owner's first run, and leaving."""
