"""Whether a live source still holds, page for page, what a snapshot of it does.

Cheaper than another snapshot: nothing is written. Where it cannot be told, because a
WAL holds pages or somebody writes meanwhile, the answer is no, and a new snapshot will tell.
"""

from __future__ import annotations

import hashlib
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import BinaryIO

import apsw

from core.source import sidecars
from core.source.opening import SourceFile, open_source
from core.source.reading import reading
from core.source.snapshot import STEP_BYTES, Progress, tell_nobody

# What a page copy writes anew in the header (https://sqlite.org/fileformat2.html section 1.3):
# format versions, change counter, schema cookie, the last writer's counter and library.
_OWN = ((18, 20), (24, 28), (40, 44), (92, 100))


def still_holds(
    source: SourceFile, snapshot: Path, sha256: str, *, on_progress: Progress | None = None
) -> bool:
    """Whether ``snapshot`` is the file whose digest was recorded, and the live source has
    the same pages. Writers are held off for a step of 4 MiB at most.

    ``on_progress`` is told the bytes compared so far and the bytes in all, between two
    steps. Raises what :func:`~core.source.opening.open_source` raises.
    """
    try:
        file = snapshot.open("rb")
    except OSError:
        return False
    with file, open_source(source) as live:
        return _same(live, source, file, sha256, on_progress or tell_nobody)


def _same(
    live: apsw.Connection, source: SourceFile, file: BinaryIO, sha256: str, tell: Progress
) -> bool:
    digest = hashlib.sha256()
    place, version = 0, live.pragma("data_version")
    with (
        reading(source.path),
        ThreadPoolExecutor(1, thread_name_prefix="digest") as pool,
        closing(_blocks(live, source, version)) as blocks,
    ):
        for theirs in blocks:
            ours = file.read(len(theirs))
            digested = pool.submit(digest.update, ours)
            if _known(ours, place) != _known(theirs, place):
                return False
            digested.result()
            place += len(theirs)
            tell(place, source.bytes)
        return place > 0 and not file.read(1) and digest.hexdigest() == sha256


def _known(block: bytes, place: int) -> bytes:
    """The block without what is a copy's own."""
    if place > 0:
        return block
    known = bytearray(block)
    for start, end in _OWN:
        known[start:end] = bytes(end - start)
    return bytes(known)


def _blocks(
    live: apsw.Connection, source: SourceFile, version: int
) -> Generator[bytes, None, None]:
    """The live pages in steps; they end early where somebody has written meanwhile.

    Read through SQLite's own file layer, as a file is that others hold locks on.
    """
    flags = [apsw.SQLITE_OPEN_MAIN_DB | apsw.SQLITE_OPEN_READONLY, 0]
    file = apsw.VFSFile("", str(source.path), flags)
    try:
        place = 0
        while True:
            with live:
                live.execute("SELECT count(*) FROM sqlite_schema").fetchall()
                size = live.pragma("page_count") * source.page_size
                if live.pragma("data_version") != version or sidecars.look(source.path).wal_bytes:
                    return
                if place >= size:
                    return
                block = file.xRead(min(STEP_BYTES, size - place), place)
            yield block
            place += len(block)
    finally:
        file.xClose()
