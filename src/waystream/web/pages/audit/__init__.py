"""The audit: who did what, to what, and why; nobody can change it."""
