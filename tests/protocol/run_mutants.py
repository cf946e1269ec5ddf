"""Break each rule of the protocol in a copy of the repository: ``make mutants-protocol``.

Exit code 0 when every mutant was caught, 1 when one survived, 2 when this program could
not tell: the tests fail without any mutant, a text has moved, a test could not be run.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.conftest import CLUSTER_VARIABLE, REPOSITORY, cluster_under, make_reachable_folder
from tests.protocol.mutants import FAST, MUTANTS, Mutant, TextMoved

_CONTENTS = (
    "core",
    *("tests/conftest.py", "tests/plan", "tests/protocol", "tests/quarantine", "tests/transfer"),
    "pyproject.toml",
)
_TEST_SECONDS, _RUN_SECONDS = 60, 900


class Undecided(Exception):
    """A run of tests that proves nothing."""


@dataclass(frozen=True)
class Verdict:
    """``test`` is the one that noticed, '' when none did."""

    mutant: Mutant
    test: str

    def line(self) -> str:
        found = f"caught by {self.test}" if self.test else f"SURVIVED: {self.mutant.broken}"
        return f"{self.mutant.id:<26} {found}"


def verdict(mutant: Mutant, cluster: Path) -> Verdict:
    """Whether a test notices the mutant. Raises TextMoved and Undecided."""
    with copied() as root:
        mutant.apply(root)
        return Verdict(mutant, failed_test(root, mutant.tests, cluster))


def failed_test(root: Path, tests: Sequence[str], cluster: Path) -> str:
    """The first of ``tests`` that fails in the copy at ``root``, '' when none does.

    A test that could not be set up, or an unreadable module, is no failed test.
    """
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *tests, "-x", "-q", *_PYTEST],
        cwd=root,
        env=_environment(root) | {CLUSTER_VARIABLE: str(cluster)},
        capture_output=True,
        text=True,
        timeout=_RUN_SECONDS,
        check=False,
    )
    failed = re.search(r"^FAILED \S*/(\S+)", done.stdout, re.MULTILINE)
    if done.returncode == 0:
        return ""
    if done.returncode != 1 or failed is None:
        raise Undecided(done.stdout + done.stderr)
    return failed[1]


@contextmanager
def copied() -> Iterator[Path]:
    """What the repository knows of the protocol, in a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="mudanza-mutant-") as folder:
        root = Path(folder)
        for name in _known():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(REPOSITORY / name, root / name)
        yield root


_PYTEST = ("-p", "no:cacheprovider", "-p", "no:xdist", "--timeout", str(_TEST_SECONDS))


def _known() -> list[str]:
    """The files that git tracks, or would."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", *_CONTENTS],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    return [name for name in listed.stdout.split("\0") if (REPOSITORY / name).is_file() and name]


def _environment(root: Path) -> dict[str, str]:
    """Ours, but nothing of a test run that we may be part of, and the copy's code first."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST_", "COV_"))}
    return kept | {"PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1"}


# --- the program


def main() -> int:
    chosen = _chosen()
    folder = make_reachable_folder()
    server = cluster_under(folder)
    try:
        server.start()
        return _report(chosen, folder)
    except (TextMoved, Undecided) as stopped:
        sys.stdout.write(f"{stopped}\n")
        return 2
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _chosen() -> tuple[Mutant, ...]:
    parser = argparse.ArgumentParser(description=__doc__, prog="run_mutants")
    parser.add_argument("--fast", action="store_true", help="only those that `make test` looks at")
    parser.add_argument("ids", nargs="*", help="only these")
    asked = parser.parse_args()
    among = FAST if asked.fast else MUTANTS
    if unknown := set(asked.ids) - {m.id for m in among}:
        parser.error(f"no such mutant: {', '.join(sorted(unknown))}")
    return tuple(m for m in among if not asked.ids or m.id in asked.ids)


def _report(mutants: Sequence[Mutant], cluster: Path) -> int:
    _check_without_mutant(mutants, cluster)
    caught = 0
    # Two at a time: a test waits for the server more than it computes.
    with ThreadPoolExecutor(2) as threads:
        for found in threads.map(partial(verdict, cluster=cluster), mutants):
            caught += bool(found.test)
            sys.stdout.write(found.line() + "\n")
            sys.stdout.flush()
    sys.stdout.write(f"{caught} of {len(mutants)} protocol mutants caught\n")
    return 0 if caught == len(mutants) else 1


def _check_without_mutant(mutants: Sequence[Mutant], cluster: Path) -> None:
    """All the tests pass as long as no rule is broken, and it is the copy that they test."""
    with copied() as root:
        where = subprocess.run(
            [sys.executable, "-c", "import core.transfer; print(core.transfer.__file__)"],
            cwd=root,
            env=_environment(root),
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        if not where.startswith(str(root)):
            raise Undecided(f"not the copy is imported, but {where}")
        tests = sorted({test for mutant in mutants for test in mutant.tests})
        if failed := failed_test(root, tests, cluster):
            raise Undecided(f"without any mutant fails {failed}")


if __name__ == "__main__":
    sys.exit(main())
