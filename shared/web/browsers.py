"""What browsers may ask a service from pages of the others (CORS).

The console's pages are served by three services, each at its own address unless one proxy stands before
them. The pages of one call the API of another with the cookie that they share.
"""

from collections.abc import Iterable

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

_ORIGIN = b"origin"


class FromPages:
    """The application, for pages at ``origins``, too; ``app`` alone for everybody who is no browser."""

    def __init__(self, app: ASGIApp, origins: Iterable[str]) -> None:
        self.app = app
        self.for_pages = CORSMiddleware(
            app,
            allow_origins=sorted(origins),
            allow_methods=["GET", "POST", "PUT", "DELETE"],
            allow_headers=["Content-Type", "Idempotency-Key", "Last-Event-ID"],
            expose_headers=["Content-Disposition", "Retry-After"],
            allow_credentials=True,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Tills name no origin: they shall not pay for it."""
        asked = scope["type"] == "http" and any(name == _ORIGIN for name, _ in scope["headers"])
        await (self.for_pages if asked else self.app)(scope, receive, send)
