"""Some items ahead: the next ones are made by a thread while this one is used."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

T = TypeVar("T")


class Ahead(Iterator[T], Generic[T]):
    """The items of a generator, made by one thread of its own, never more than ``depth`` ahead.

    What the generator raises is raised here, in its turn. Used by one thread, which
    closes it; that closes the generator.
    """

    def __init__(self, items: Generator[T, None, None], name: str, depth: int = 1) -> None:
        self._items = items
        self._pool = ThreadPoolExecutor(1, thread_name_prefix=name)
        self._coming = deque(self._pool.submit(next, items, None) for _ in range(depth))

    def __next__(self) -> T:
        item = self._coming[0].result()
        if item is None:
            raise StopIteration
        self._coming.popleft()
        self._coming.append(self._pool.submit(next, self._items, None))
        return item

    def close(self) -> None:
        """Wait for what is in the making, and make no more."""
        for future in self._coming:
            future.cancel()
        self._pool.shutdown()
        self._items.close()
