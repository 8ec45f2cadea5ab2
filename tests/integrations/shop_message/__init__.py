"""The message port of a shop."""
