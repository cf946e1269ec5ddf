"""Databases drawn by lot: schemas and rows that nobody looked at while Mudanza was built."""

from benchmarks.scoreboard.unseen.build import COUNT, SEED, build

__all__ = ["COUNT", "SEED", "build"]
