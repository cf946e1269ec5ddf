"""How gunicorn serves the shop: ``gunicorn -c webapp/gunicorn_conf.py webapp.wsgi:app``.

It is named by its path, not as a module: the folder in which workers add up their numbers
must be in the environment before anything of the shop is imported.
"""

from __future__ import annotations

import atexit
import os
import sys
import tempfile
from pathlib import Path
from shutil import rmtree
from typing import Any

_MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108
_FOLDER = "PROMETHEUS_MULTIPROC_DIR"


def _clear_away(folder: str, pid: int) -> None:
    if os.getpid() == pid:
        rmtree(folder, ignore_errors=True)


if not os.environ.get(_FOLDER):
    if "prometheus_client" in sys.modules:
        sys.exit("gunicorn: name the configuration by its path: -c webapp/gunicorn_conf.py")
    os.environ[_FOLDER] = tempfile.mkdtemp(prefix="shop-metrics-", dir=_MEMORY)
    # Workers inherit what is to be done at the end: only the master may do it.
    atexit.register(_clear_away, os.environ[_FOLDER], os.getpid())
_folder = Path(os.environ[_FOLDER])
_folder.mkdir(parents=True, exist_ok=True)

from gunicorn.glogging import Logger  # type: ignore[import-untyped]  # noqa: E402
from prometheus_client import multiprocess  # noqa: E402

from webapp.observe import Redaction, logging, metrics  # noqa: E402
from webapp.settings import SettingsRefused, read_settings  # noqa: E402

try:
    _settings = read_settings()
except SettingsRefused as _refused:
    print(_refused, file=sys.stderr)  # noqa: T201
    sys.exit(2)


class ShopLogger(Logger):  # type: ignore[misc]
    """gunicorn's records among all others. It writes none for requests: the shop does."""

    def setup(self, cfg: Any) -> None:
        """Leave it to the root's handler."""
        super().setup(cfg)
        logging.begin(_settings.log_level, _settings.log_format, Redaction.of(_settings))
        self.error_log.handlers.clear()
        self.error_log.propagate = True


bind = _settings.bind
workers = _settings.workers
worker_class = "gthread"
threads = _settings.threads
worker_tmp_dir = _MEMORY
timeout = 30
graceful_timeout = 25
keepalive = 5
max_requests = 20_000
max_requests_jitter = 2_000
limit_request_line = 4094
preload_app = False
control_socket_disable = True
accesslog = None
loglevel = _settings.log_level.lower()
logger_class = ShopLogger


def on_starting(_server: Any) -> None:
    """Numbers begin at nought. A reload does not come here: they go on."""
    for file in _folder.glob("*.db"):
        file.unlink()


def when_ready(server: Any) -> None:
    """The numbers, at an address that is not the shop's. Ends the server if it is taken."""
    try:
        server.shop_metrics = metrics.serve(_settings.metrics_bind, _folder)
    except OSError as error:
        server.log.critical("SHOP_METRICS_BIND: cannot listen there: %s", error.strerror)
        sys.exit(2)


def post_fork(server: Any, _worker: Any) -> None:
    """The numbers' socket is the master's alone."""
    server.shop_metrics.socket.close()


def child_exit(_server: Any, worker: Any) -> None:
    """What a worker had in hand is no longer in anybody's."""
    multiprocess.mark_process_dead(worker.pid, path=str(_folder))  # type: ignore[no-untyped-call]
