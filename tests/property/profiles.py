"""Profiles of the generated tests: the same examples every time, or many for a soak."""

from __future__ import annotations

from hypothesis import HealthCheck, Phase, settings

CALM = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large]


def profile(examples: int, *, soak: bool = False) -> settings:
    """``examples`` of them; without explaining, which takes longer than finding."""
    phases = [p for p in Phase if p is not Phase.explain]
    return settings(
        max_examples=examples,
        deadline=None,
        derandomize=not soak,
        database=None,
        phases=phases,
        print_blob=True,
        suppress_health_check=CALM,
    )
