"""Mudanza: carry a SQLite database into PostgreSQL, and prove that nothing was lost.

The sentence this package illustrates: a *run* executes a *plan*; it copies each
table from one *snapshot* of the *source* to the *target* in key-ordered
*chunks*, commits each chunk together with its line in the *ledger*, sets aside
in *quarantine* what the target cannot hold, and proves *parity*.
"""

__version__ = "0.1.0"
