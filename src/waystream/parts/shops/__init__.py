"""Shops: where orders come from, and each shop's policy of when an order is complete.

Owns: shop. Answers: create, list, get, find, set the policy and whose
pages may show its buyers' pages. Says nothing.
"""
