"""People who do not wait for each other: requests begin on a schedule, however slow the last
ones were.

A closed model asks again only once it was answered: while the server stands still, nobody
asks, and the percentiles are of the good times alone. Here latency counts from the moment at
which a request was to begin. What nobody was free to begin within ``patience`` seconds is a
failure.
"""

from __future__ import annotations

import multiprocessing
import random
import resource
import threading
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import count
from typing import Any

from benchmarks.load.client import Client, Request
from benchmarks.load.recorder import Encoded, Recorder, merged

START_SECONDS = 60
"""The longest that processes wait for each other."""

Asks = Callable[[random.Random], tuple[str, Request]]
"""Chooses an action and makes its request. It goes to other processes: a picklable value."""


@dataclass(frozen=True, kw_only=True)
class Pace:
    """``rate``: requests a second, over all processes; ``warm_up``: the seconds before those
    that count; ``threads``: in each process, the most that are under way there at once."""

    rate: float
    seconds: float
    warm_up: float = 0
    processes: int = 2
    threads: int = 32
    patience: float = 10
    seed: int = 1


@dataclass(frozen=True, kw_only=True)
class Driven:
    """``cpu``: of the generator itself, in cores; near the number of processes it was the
    generator that was slow."""

    recorder: Recorder
    cpu: float


def drive(address: str, asks: Asks, pace: Pace) -> Driven:
    """Ask at the pace, and wait for the last answer."""
    spawn = multiprocessing.get_context("spawn")
    gate = _Gate(
        spawn.Barrier(pace.processes + 1), spawn.Barrier(pace.processes + 1), spawn.Value("d")
    )
    with ProcessPoolExecutor(
        pace.processes, mp_context=spawn, initializer=_stand_at, initargs=(gate,)
    ) as pool:
        shares = [
            pool.submit(_share, address, asks, pace, number) for number in range(pace.processes)
        ]
        gate.open()
        parts = [share.result() for share in shares]
    return Driven(
        recorder=merged(encoded for encoded, _ in parts), cpu=sum(cpu for _, cpu in parts)
    )


@dataclass(frozen=True)
class _Gate:
    """Where processes wait for each other: one schedule begins at one moment for all."""

    ready: Any
    go: Any
    start: Any

    def open(self) -> None:
        """Once all are there, say when it begins."""
        self.ready.wait(START_SECONDS)
        self.start.value = time.monotonic() + 0.2
        self.go.wait(START_SECONDS)

    def passed(self) -> float:
        """When it begins."""
        self.ready.wait(START_SECONDS)
        self.go.wait(START_SECONDS)
        return float(self.start.value)


_gates: list[_Gate] = []
"""The one at which this process stands."""


def _stand_at(gate: _Gate) -> None:
    _gates.append(gate)


def _share(address: str, asks: Asks, pace: Pace, number: int) -> tuple[Encoded, float]:
    """What one process of the schedule does; its part of the processor's time."""
    before = _used()
    start = _gates[-1].passed()
    generator = _Generator(address, asks, pace, number, start)
    threads = [threading.Thread(target=generator.work) for _ in range(pace.threads)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    cpu = (_used() - before) / (pace.warm_up + pace.seconds)
    return generator.recorder.encoded(), cpu


def _used() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


class _Generator:
    """The arrivals of one process: every n-th of the schedule."""

    def __init__(self, address: str, asks: Asks, pace: Pace, number: int, start: float) -> None:
        self._address, self._asks, self._pace = address, asks, pace
        self._arrivals = count(number, pace.processes)
        self._start = start
        self._lock = threading.Lock()
        self.recorder = Recorder()

    def work(self) -> None:
        """One thread: the next arrival that nobody has taken, as long as there are any."""
        client = Client(self._address)
        while (arrival := self._next()) is not None:
            self._ask(client, *arrival)
        client.close()

    def _next(self) -> tuple[float, str, Request] | None:
        with self._lock:
            arrival = next(self._arrivals)
        offset = arrival / self._pace.rate
        if offset >= self._pace.warm_up + self._pace.seconds:
            return None
        action, request = self._asks(random.Random(f"{self._pace.seed} {arrival}"))
        return offset, action, request

    def _ask(self, client: Client, offset: float, action: str, request: Request) -> None:
        intended = self._start + offset
        time.sleep(max(0.0, intended - time.monotonic()))
        began = time.monotonic()
        counts = offset >= self._pace.warm_up
        if began - intended > self._pace.patience:
            with self._lock:
                if counts:
                    self.recorder.missed(action, began - intended)
            return
        failure = client.send(request)
        ended = time.monotonic()
        with self._lock:
            if counts:
                self.recorder.record(
                    action, raw=ended - began, corrected=ended - intended, failure=failure
                )
