"""Before anybody is in: sign-in and out. The first owner's login is told by the command that started Waystream."""
