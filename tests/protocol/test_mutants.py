"""Tests of the tests: a rule of the protocol that is broken is noticed."""

from __future__ import annotations

from collections import Counter

import pytest

from core.server.embedded import Cluster
from tests.conftest import REPOSITORY
from tests.protocol.mutants import FAST, MUTANTS, Mutant
from tests.protocol.run_mutants import copied, verdict


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda m: m.id)
def test_each_mutant_changes_a_text_that_is_there_once(mutant: Mutant) -> None:
    for edit in mutant.edits:
        text = (REPOSITORY / edit.file).read_text(encoding="utf-8")
        assert edit.applied(text) != text


def test_each_mutant_has_a_name_of_its_own() -> None:
    assert max(Counter(m.id for m in MUTANTS).values()) == 1
    assert max(Counter(m.broken for m in MUTANTS).values()) == 1


@pytest.mark.parametrize("mutant", FAST, ids=lambda m: m.id)
def test_a_rule_that_is_broken_is_noticed(mutant: Mutant, cluster: Cluster) -> None:
    assert verdict(mutant, cluster.folder.parent).test


def test_a_copy_knows_the_repository_as_it_is() -> None:
    with copied() as root:
        for path in (root / "core" / "transfer").glob("*.py"):
            assert path.read_bytes() == (REPOSITORY / path.relative_to(root)).read_bytes()
