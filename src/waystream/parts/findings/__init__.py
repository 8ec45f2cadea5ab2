"""Findings: whether what must always hold does, as last checked, and since when it does not.

Owns: finding. Answers: note what a check found, list the findings. Says nothing. What is checked, and the checking, is
`doctor`'s.
"""
