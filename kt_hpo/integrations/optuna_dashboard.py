"""Optuna's dashboard on a search that may be running, for this machine only and only to look at."""

from __future__ import annotations

import json
import socketserver
from collections.abc import Callable, Iterable
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import optuna

from kt_hpo._private_apis.optuna import id_of, storage_of
from kt_hpo.optional import require

HOST = "127.0.0.1"
Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class _Server(socketserver.ThreadingMixIn, WSGIServer):
    """Answers several requests at once: drawing thousands of trials takes a while."""

    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    """Answers without a line for every request."""

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Writes nothing."""


def make_dashboard(study: optuna.Study, port: int = 8080) -> WSGIServer:
    """Makes a server of optuna-dashboard that nobody can change the study with.

    Args:
        study: The study; `kt_hpo.open_study` opens that of a search which is running.
        port: Where to listen on the loopback; 0 for any free port.

    Returns:
        The server, to be started with `serve_forever`.

    Raises:
        ImportError: If optuna-dashboard is not installed, with the install line.
        ValueError: If the port is taken.

    Example:
        >>> server = make_dashboard(optuna.create_study(), port=0)
        >>> server.server_address[0]
        '127.0.0.1'
        >>> server.server_close()
    """
    application = require("optuna_dashboard", "dashboard").wsgi(storage_of(study))
    try:
        return make_server(HOST, port, only_to_look_at(application), _Server, _Quiet)
    except OSError as error:
        raise ValueError(
            f"Port {port} cannot be listened on ({error.strerror}). Give another one with --port, "
            "or 0 for any that is free."
        ) from error


def address(server: WSGIServer, study: optuna.Study) -> str:
    """Gives the address of a study's page.

    Args:
        server: What `make_dashboard` made.
        study: The study.

    Returns:
        The URL.
    """
    return f"http://{HOST}:{server.server_address[1]}/dashboard/studies/{id_of(study)}"


def only_to_look_at(application: Application) -> Application:
    """Lets through only what reads, and only what was asked from this machine by its own name.

    Args:
        application: A WSGI application.

    Returns:
        One that refuses all other requests: a page of another site that a browser shows can send
        some here, under that site's name.
    """

    def guarded(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        host = environ.get("HTTP_HOST", "").rsplit(":", 1)[0]
        if environ["REQUEST_METHOD"] in ("GET", "HEAD") and host in (HOST, "localhost"):
            return application(environ, start_response)
        reason = "This dashboard only shows a search; it changes nothing."
        start_response("403 Forbidden", [("Content-Type", "application/json")])
        return [json.dumps({"reason": reason}).encode()]

    return guarded
