"""Serving pages from this process until it is told to stop."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import suppress

import uvicorn

from polypinch.errors import PinchError
from polypinch.web.guard import App


def listening(host: str, port: int) -> socket.socket:
    """Return a socket that listens there; port 0 takes any that is free.

    Raises:
        PinchError: the port is taken, or the host is not one of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    own = socket.socket(family, socket.SOCK_STREAM)
    own.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        own.bind((host, port))
        own.listen(128)
    except OSError as error:
        own.close()
        raise PinchError(
            f"cannot listen on {host}, port {port}: {error.strerror}", fix="name another --port"
        ) from error
    return own


def address(own: socket.socket, host: str) -> str:
    """Return the address at which a socket's pages are: ``http://127.0.0.1:8765``."""
    name = f"[{host}]" if ":" in host else host
    return f"http://{name}:{own.getsockname()[1]}"


def serve(app: App, own: socket.socket, ready: Callable[[], None] = lambda: None) -> None:
    """Answer until Ctrl-C or SIGTERM; requests under way are ended first.

    Args:
        app: the application.
        own: what :func:`listening` returned.
        ready: is called before the first request is answered.
    """
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,  # an address may hold a rater's secret
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=10,
    )
    ready()
    # The server ends what is under way when it is told to stop, and passes the signal on afterwards.
    with own, suppress(KeyboardInterrupt):
        uvicorn.Server(config).run(sockets=[own])
