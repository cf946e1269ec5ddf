"""What gunicorn serves to the tests: the shop, and routes that take their time or break."""

from __future__ import annotations

import logging
import os
import time

from flask import request
from sqlalchemy import text

from webapp.web.shop import read, shop
from webapp.wsgi import app


@app.get("/test/slow/<seconds>")
def slow(seconds: str) -> str:
    """Answers late, and by which process."""
    time.sleep(float(seconds))
    return str(os.getpid())


@app.get("/test/broken/<token>")
def broken(token: str) -> str:
    """Breaks, with a secret in its hands."""
    password = request.headers.get("X-Password", "")
    raise RuntimeError(f"cannot reach postgresql://shop:{password}@db/shop?token={token}")


@app.get("/test/says")
def says() -> str:
    """Logs whatever it is told to."""
    logging.getLogger("shop.tests").warning("told: %s", request.args["what"])
    return ""


@app.get("/test/asks/<int:times>")
def asks(times: int) -> str:
    """Sends so many statements."""
    read(lambda s: [s.execute(text("SELECT 1")) for _ in range(times)])
    return ""


@app.get("/test/live")
def live() -> str:
    """Which database is live, and who says so."""
    return f"{shop().database.backend} {os.getpid()}"
