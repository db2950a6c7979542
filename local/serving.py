"""An application on a port of 127.0.0.1, in a thread, for the length of a `with` block."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.applications import Starlette

from local.errors import StackError


@contextmanager
def listening(port: int | None) -> Iterator[socket.socket]:
    """A socket that listens on this port, None taking any. Raises StackError if it is in use."""
    listener = socket.socket()
    with listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port or 0))
            listener.listen(128)
        except OSError:
            raise StackError(
                f"port {port} is in use: stop what listens there, or choose another one with "
                "TANDEM_PORT"
            ) from None
        yield listener


@contextmanager
def serving(app: Starlette, listener: socket.socket) -> Iterator[None]:
    """Serve, in a thread of its own, until the block ends."""
    server = uvicorn.Server(
        uvicorn.Config(app, log_level="warning", access_log=False, timeout_graceful_shutdown=2)
    )
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    try:
        while not server.started:
            if not thread.is_alive():
                raise StackError("the front did not start")
            time.sleep(0.01)
        yield
    finally:
        server.should_exit = True
        thread.join()
