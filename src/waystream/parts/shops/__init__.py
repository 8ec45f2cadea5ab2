"""Shops: where orders come from, and each shop's policy of when an order is complete.

Owns: shop. Answers: create, list, get, find and set the policy. Says nothing.
"""
