"""The shop's numbers, for Prometheus. All workers of a server add to the same ones.

Where ``PROMETHEUS_MULTIPROC_DIR`` is set before this module is imported, each process keeps
its numbers in files there, and whoever is asked adds them up. Routes are told by their
template: nobody can make a new series by asking for a new address.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIServer

from prometheus_client import CollectorRegistry, Gauge, Histogram, start_http_server
from prometheus_client.multiprocess import MultiProcessCollector
from sqlalchemy import Engine, event

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
UNMATCHED = "unmatched"

REQUEST_SECONDS = Histogram(
    "shop_request_seconds",
    "How long requests took, by route template, method, status and live database.",
    ["route", "method", "status", "backend"],
    # An edge on each objective (0.1, 0.3, 0.5): whether it holds is counted, not interpolated.
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2.5, 5, 10),
)
REQUEST_QUERIES = Histogram(
    "shop_request_queries",
    "How many statements a request sent to its database.",
    ["route"],
    buckets=(0, 1, 2, 4, 8, 16, 32, 64),
)
IN_FLIGHT = Gauge(
    "shop_requests_in_flight",
    "Requests that are being answered.",
    multiprocess_mode="livesum",
)
POOL_IN_USE = Gauge(
    "shop_pool_in_use",
    "Connections to a database that are lent out.",
    ["backend"],
    multiprocess_mode="livesum",
)
POOL_SIZE = Gauge(
    "shop_pool_size",
    "Connections to a database that there may be.",
    ["backend"],
    multiprocess_mode="livesum",
)


def answered(
    *, route: str | None, method: str, status: int, backend: str, seconds: float, queries: int
) -> None:
    """One request more."""
    route = route or UNMATCHED
    method = method if method in METHODS else "other"
    REQUEST_SECONDS.labels(route, method, str(status), backend).observe(seconds)
    REQUEST_QUERIES.labels(route).observe(queries)


def watch(backend: str, engine: Engine, size: int) -> None:
    """Count the connections that the engine's pool lends; ``size``: how many it may."""
    POOL_SIZE.labels(backend).set(size)
    in_use = POOL_IN_USE.labels(backend)

    @event.listens_for(engine, "checkout")
    def lent(*_lent: Any) -> None:
        in_use.inc()

    @event.listens_for(engine, "checkin")
    def returned(*_returned: Any) -> None:
        in_use.dec()


def serve(bind: str, folder: Path) -> WSGIServer:
    """Answer ``/metrics`` at an address of its own, from the files of all processes."""
    registry = CollectorRegistry()
    MultiProcessCollector(registry, path=str(folder))  # type: ignore[no-untyped-call]
    host, _, port = bind.rpartition(":")
    server, _thread = start_http_server(int(port), host.strip("[]"), registry)
    return server
