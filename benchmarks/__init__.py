"""Measuring Mudanza beside other ways to carry the same rows: ``make bench``."""
