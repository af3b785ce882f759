"""A program that takes webhooks, as a customer runs it: it verifies, and answers as it is told."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from standardwebhooks import Webhook

from tests.peers.waiting import LOOPBACK


@dataclass
class Receiver:
    """A receiver on a free port; ``answers`` are the statuses of the next answers, then 204.

    ``taken`` has what was verified, ``ids`` the ids of all attempts. A status 0 says nothing until
    ``stop``. ``location`` is told with redirects.
    """

    secret: str = ""
    answers: list[int] = field(default_factory=list)
    location: str = ""
    taken: list[dict[str, Any]] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)

    def __enter__(self) -> Self:
        """Begin to listen."""
        self.released = threading.Event()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                receiver.take(self)

            def log_message(self, *_: object) -> None:
                """Be quiet."""

        self.server = ThreadingHTTPServer((LOOPBACK, 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop listening."""
        self.released.set()
        self.server.shutdown()
        self.server.server_close()

    @property
    def url(self) -> str:
        """Return where it listens."""
        return f"http://{LOOPBACK}:{self.server.server_address[1]}/hook?from=nsctl"

    def take(self, handler: BaseHTTPRequestHandler) -> None:
        """Take one request."""
        body = handler.rfile.read(int(handler.headers["Content-Length"]))
        self.ids.append(str(handler.headers["webhook-id"]))
        status = self.answers.pop(0) if self.answers else 204
        if status == 0:
            self.released.wait(30)
            return
        if status < 300:
            try:
                Webhook(self.secret).verify(body, dict(handler.headers))
                self.taken.append(json.loads(body))
            except Exception as error:  # noqa: BLE001  whatever it is, the test wants to know
                self.refusals.append(repr(error))
                status = 401
        handler.send_response(status)
        if self.location:
            handler.send_header("Location", self.location)
        handler.end_headers()
