"""Tally: how many orders, parcels and inquiries stand where, and how many passed each step when.

Owns: tally. Rows are added by the database with each change (migration 7), in the same transaction; here they are
summed up. Answers: pages read the view `standing`. Says nothing.
"""
