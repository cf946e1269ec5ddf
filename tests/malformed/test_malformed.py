"""Five hundred malformed files: each ends as a refusal by name or as an exact copy.

No crash, no hang, no traceback; what was copied is judged row by row by somebody who reads
both sides on their own.
"""

from __future__ import annotations

import secrets
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from core.server.embedded import Cluster
from tests.malformed.forging import COUNT, SEED, WAYS, forge
from tests.malformed.visiting import Ended, Visitor, visit_all

SAMPLE = 63

Visitors = Callable[[int], Visitor]


@pytest.fixture
def visitors(cluster: Cluster, tmp_path: Path) -> Iterator[Visitors]:
    """Visitors with a database each."""
    made = list[str]()

    def make(number: int) -> Visitor:
        name = f"malformed_{secrets.token_hex(6)}"
        cluster.ensure_database(name)
        made.append(name)
        return Visitor(cluster.url(name), tmp_path / f"home-{number}")

    yield make
    for name in made:
        cluster.drop_database(name)


def require_words_or_a_copy(numbers: Sequence[int], folder: Path, visitors: Visitors) -> None:
    ended = list(visit_all(forge(numbers, folder), visitors))
    wrong = [each for each in ended if not is_well(each)]
    counted = Counter((each.end, each.said.get("id", "")) for each in ended)
    sys.stdout.write("".join(f"{n:4} {end} {name}\n" for (end, name), n in sorted(counted.items())))
    assert not wrong, (SEED, [(e.forged.number, e.forged.way, e.end, e.said) for e in wrong])
    assert len(ended) == len(numbers)


def is_well(ended: Ended) -> bool:
    match ended.end:
        case "refused":
            return bool(ended.said["exit"] == 1 and ended.said["said"])
        case "copied":
            return "judge" not in ended.said and not ended.said["silent"]
    return False


def test_a_sample_ends_in_words_or_as_an_exact_copy(tmp_path: Path, visitors: Visitors) -> None:
    assert SAMPLE % len(WAYS) == 0, "every way three times"
    require_words_or_a_copy(range(SAMPLE), tmp_path, visitors)


@pytest.mark.soak
def test_all_of_them_end_in_words_or_as_an_exact_copy(tmp_path: Path, visitors: Visitors) -> None:
    require_words_or_a_copy(range(COUNT), tmp_path, visitors)


def test_every_file_is_the_same_each_time(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    one, two = (list(forge([9, 12, 20], tmp_path / name)) for name in ("one", "two"))
    assert [f.path.read_bytes() for f in one] == [f.path.read_bytes() for f in two]
