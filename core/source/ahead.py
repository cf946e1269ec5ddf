"""One item ahead: the next one is made by a thread while this one is used."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Generic, TypeVar

T = TypeVar("T")


class Ahead(Iterator[T], Generic[T]):
    """The items of a generator, made by one thread of its own, never more than one ahead.

    What the generator raises is raised here, in its turn. Used by one thread, which
    closes it; that closes the generator.
    """

    def __init__(self, items: Generator[T, None, None], name: str) -> None:
        self._items = items
        self._pool = ThreadPoolExecutor(1, thread_name_prefix=name)
        self._coming = self._pool.submit(next, items, None)

    def __next__(self) -> T:
        item = self._coming.result()
        if item is None:
            raise StopIteration
        self._coming = self._pool.submit(next, self._items, None)
        return item

    def close(self) -> None:
        """Wait for what is in the making, and make no more."""
        self._coming.cancel()
        wait([self._coming])
        self._pool.shutdown()
        self._items.close()
