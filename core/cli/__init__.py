"""The ``mudanza`` command: asks the other packages, says what they answered.

Decides nothing. Sentences come from :mod:`core.words`; with ``--json`` one
document goes to standard output and everything for people to standard error.
"""
