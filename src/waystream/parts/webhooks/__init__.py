"""Webhooks: a shop's own systems are told what happens, signed, at least once, for days if need be.

Owns: webhook_endpoint, webhook_delivery. Says: WebhookDisabled. Answers: which endpoints there are, what was told to
them and how it went, and a replay of what was not.

Guaranteed: one row for an event and an endpoint, written by a rule in its own transaction; the row's message id is
random and the same in every attempt. Not guaranteed: the order in which an endpoint hears.
"""
