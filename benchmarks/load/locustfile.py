"""The same people for Locust: ``locust -f benchmarks/load/locustfile.py --headless -u 40 -r 20``.

Locust is a closed model and its percentiles are of the requests that it got to send. A
listener keeps histograms of its own beside them: raw, and corrected for the requests that each
user would have sent meanwhile, one every PERIOD seconds. They are printed in the end, and
written to the file that LOAD_RESULT names.

It needs the tokens of a cast: LOAD_CAST names a JSON file with buyers, sellers and products,
as ``benchmarks.load.scenario.Cast`` has them. ``benchmarks.load.users`` does all this.
"""

from __future__ import annotations

import json
import os
import random
from dataclasses import asdict
from pathlib import Path
from typing import Any

from locust import FastHttpUser, constant_throughput, events, tag, task

from benchmarks.load.recorder import ALL, LONGEST, Pair, Recorder, summaries
from benchmarks.load.scenario import ACTIONS, Cast

PERIOD = float(os.environ.get("LOAD_PERIOD", "0.2"))
RECORDER = Recorder()


def cast() -> Cast:
    """Those who play."""
    said = json.loads(Path(os.environ["LOAD_CAST"]).read_text(encoding="utf-8"))
    return Cast(*(tuple(said[name]) for name in ("buyers", "sellers", "products")))


class Shopper(FastHttpUser):
    """Looks around, searches, looks at things, buys and sells, every PERIOD seconds."""

    wait_time = constant_throughput(1 / PERIOD)

    def on_start(self) -> None:
        """Everybody has chances of their own."""
        self.cast, self.chance = cast(), random.Random(os.urandom(8))

    def _do(self, action: str) -> None:
        request = ACTIONS[action](self.cast, self.chance)
        with self.client.request(
            request.method,
            request.path,
            name=action,
            headers=request.headers,
            data=request.body,
            catch_response=True,
        ) as answer:
            if answer.status_code in request.accepts:
                answer.success()
            else:
                answer.failure(f"status {answer.status_code}")

    @tag("browse")
    @task(25)
    def browse(self) -> None:
        """The first page."""
        self._do("browse")

    @tag("browse")
    @task(35)
    def product(self) -> None:
        """A product's page, for people and for programs."""
        self._do(self.chance.choice(["product", "api product"]))

    @tag("search")
    @task(25)
    def search(self) -> None:
        """What a word finds."""
        self._do(self.chance.choice(["search", "api list"]))

    @tag("buy")
    @task(10)
    def buy(self) -> None:
        """An order."""
        self._do("buy")

    @tag("sell")
    @task(5)
    def sell(self) -> None:
        """A new product."""
        self._do("sell")


@events.request.add_listener
def recorded(name: str, response_time: float, exception: Exception | None, **_: Any) -> None:
    """One request, failed or not; Locust gives milliseconds."""
    took = min(max(1, round(response_time * 1000)), LONGEST)
    for key in (name, ALL):
        pair = RECORDER.pairs.setdefault(key, Pair())
        pair.raw.record_value(took)
        pair.corrected.record_corrected_value(took, round(PERIOD * 1_000_000))
    if exception is not None:
        RECORDER.failures[name, str(exception)] += 1


@events.quitting.add_listener
def printed(**_: Any) -> None:
    """What the histograms say, in milliseconds."""
    found = summaries(RECORDER)
    for name, summary in found.items():
        for kind in ("raw", "corrected"):
            said = getattr(summary, kind)
            print(f"{name:12} {kind:9} p50 {said.p50:.1f} p95 {said.p95:.1f} p99 {said.p99:.1f}")
    if result := os.environ.get("LOAD_RESULT"):
        document = {name: asdict(summary) for name, summary in found.items()}
        Path(result).write_text(json.dumps(document), encoding="utf-8")
