"""One log line for each request, and its part of the numbers."""

from __future__ import annotations

import logging
import re
import time
import uuid

import structlog
from flask import Flask, Response, g, request

from webapp.database import Database
from webapp.observe import metrics, queries
from webapp.settings import Settings

HEADER = "X-Request-ID"
_LOG = logging.getLogger(__name__)
_PLAIN = re.compile(r"[A-Za-z0-9._-]{1,64}")


def install(app: Flask, settings: Settings, database: Database) -> None:
    """Before all other hooks: the first to see a request is the last to see its answer."""
    for backend, engine in database.engines.items():
        queries.watch(engine)
        metrics.watch(backend, engine, settings.pool_size + settings.pool_overflow)

    @app.before_request
    def _begun() -> None:
        g.began, g.tally, g.in_flight = time.perf_counter(), queries.counted(), True
        g.request_id = request_id(request.headers.get(HEADER))
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=g.request_id)
        metrics.IN_FLIGHT.inc()

    @app.after_request
    def _answered(response: Response) -> Response:
        if "began" in g:
            response.headers[HEADER] = g.request_id
            _tell(response.status_code, database.backend, time.perf_counter() - g.pop("began"))
        return response

    @app.teardown_request
    def _over(_error: BaseException | None) -> None:
        if g.pop("in_flight", False):
            metrics.IN_FLIGHT.dec()
            structlog.contextvars.clear_contextvars()


def request_id(given: str | None) -> str:
    """What a proxy calls the request, if that is a plain word; else a new name."""
    return given if given and _PLAIN.fullmatch(given) else uuid.uuid4().hex


def _tell(status: int, backend: str, seconds: float) -> None:
    route = request.url_rule.rule if request.url_rule else None
    tally: queries.Tally = g.tally
    metrics.answered(
        route=route,
        method=request.method,
        status=status,
        backend=backend,
        seconds=seconds,
        queries=tally.count,
    )
    facts = {
        "route": route or metrics.UNMATCHED,
        "method": request.method[:16],
        "status": status,
        "duration_ms": round(seconds * 1000, 1),
        "queries": tally.count,
        "queries_ms": round(tally.seconds * 1000, 1),
        "backend": backend,
    }
    _LOG.info("request", extra=facts)
