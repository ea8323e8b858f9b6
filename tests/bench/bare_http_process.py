"""A bare ASGI application that reads a body and answers with one: what a server in Python can reach.

``python -m tests.bench.bare_http_process <port> <bytes>`` serves as the services are served, and answers
JSON of so many bytes.
"""

import socket
import sys
from http import HTTPStatus

import uvicorn
from pydantic import SecretStr
from starlette.types import Receive, Scope, Send

from deploy.local.ports import HOST
from shared.settings import ServiceSettings
from shared.web.service import configuration


class Bare:
    """Answers every request with the same body, once it has read the request's."""

    def __init__(self, size: int) -> None:
        self.body = b'{"a":"' + b"x" * (size - 8) + b'"}'
        length = b"%d" % len(self.body)
        self.headers = [(b"content-type", b"application/json"), (b"content-length", length)]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Read, then answer."""
        if scope["type"] == "lifespan":
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
            return
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        start = {"type": "http.response.start", "status": HTTPStatus.OK, "headers": self.headers}
        await send(start)
        await send({"type": "http.response.body", "body": self.body})


if __name__ == "__main__":
    port, size = int(sys.argv[1]), int(sys.argv[2])
    alike = ServiceSettings(kafka="", database=SecretStr(""), http_port=port, verify_key="")
    listening = socket.create_server((HOST, port), backlog=2048)
    uvicorn.Server(configuration(Bare(size), alike)).run(sockets=[listening])
