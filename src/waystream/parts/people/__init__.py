"""Who works here and what they may do: staff, sign-in, roles, API keys, the audit page.

Owns `staff`, `staff_shop`, `staff_warehouse`, `session`, `api_key`, `api_key_shop`. Answers one question at every door:
who is calling, and may they. Passwords, tokens and keys are stored as hashes only. Says nothing; writes the audit.
"""
