"""Proof: every value of every row compared, keys and sequences looked up.

Compares what is there with what the plan and the ledger say should be there;
refuses to repair anything.
"""
