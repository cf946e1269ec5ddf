"""The shop's rules: who may do what, and what follows from it.

Functions take a session of the unit of work they are part of, and whoever asks; they never
commit, and know neither requests nor pages nor which engine answers. What is refused is
an exception of ``services.errors``.
"""
