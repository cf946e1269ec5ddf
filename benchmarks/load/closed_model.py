"""So many people who ask again as soon as they are answered: how much gets done at most."""

from __future__ import annotations

import random
import threading
import time
from dataclasses import dataclass

from benchmarks.load.client import Client
from benchmarks.load.open_model import Asks
from benchmarks.load.recorder import ALL, Recorder, Summary, summaries


@dataclass(frozen=True, kw_only=True)
class Pressed:
    """What ``people`` at once got done. Raw latencies alone mean anything here: nobody meant to
    begin earlier than they did."""

    people: int
    rate: float
    summary: Summary


def press(address: str, asks: Asks, *, people: int, seconds: float, warm_up: float = 1) -> Pressed:
    """Have them ask for so long."""
    recorder, lock = Recorder(), threading.Lock()
    counts_from = time.monotonic() + warm_up
    end = counts_from + seconds

    def person(number: int) -> None:
        client, chance = Client(address), random.Random(f"{people} {number}")
        while (began := time.monotonic()) < end:
            action, request = asks(chance)
            failure = client.send(request)
            took = time.monotonic() - began
            if began >= counts_from:
                with lock:
                    recorder.record(action, raw=took, corrected=took, failure=failure)
        client.close()

    threads = [threading.Thread(target=person, args=[n]) for n in range(people)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    summary = summaries(recorder)[ALL]
    return Pressed(
        people=people, rate=(summary.requests - summary.failed) / seconds, summary=summary
    )
