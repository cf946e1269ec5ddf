"""Rows from a snapshot into the target, chunk by chunk, with their line in the ledger.

Knows plans and how to carry them out; refuses to know why a type was chosen
(:mod:`core.plan`), whether both sides are equal (:mod:`core.verify`), or who is
watching.
"""
