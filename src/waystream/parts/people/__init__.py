"""People who work with Waystream: staff, sessions and API keys, and what each of them may do.

Owns: staff, staff_shop, staff_warehouse, session, api_key, api_key_shop. Answers: create the first owner, manage
staff, sign in and out, find who calls, manage API keys, list the audit. Says nothing: its doings are in the audit.
Sessions, lock-outs and uses count machine time, for they guard people, whatever speed business time runs at.
"""
