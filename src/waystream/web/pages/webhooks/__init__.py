"""Webhooks: the endpoints of the caller's shops, and one with its log."""
