"""The sample: a marketplace database to try Mudanza on, the same for the same seed."""

from core.sample.building import SampleFacts, build_sample
from core.sample.dirt import Misfit, MisfitKind

__all__ = ["Misfit", "MisfitKind", "SampleFacts", "build_sample"]
