"""The sample: a marketplace database to try Mudanza on, the same for the same seed."""

from core.sample.building import SampleFacts, build_sample
from core.sample.dirt import Misfit, MisfitKind
from core.sample.legacy import Planted, plant_all_dirt

__all__ = [
    "Misfit",
    "MisfitKind",
    "Planted",
    "SampleFacts",
    "build_sample",
    "plant_all_dirt",
]
