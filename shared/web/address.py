"""The address of an HTTP caller.

``X-Forwarded-For`` is read by the server itself (uvicorn), from the right past the proxies that it is told to
trust (``ServiceSettings.trusted_proxies``). Nobody else may say who he is.
"""

from ipaddress import ip_address

from fastapi import Request


def address_of(request: Request) -> str | None:
    """The caller's IP address; None if it has none, as on a Unix socket."""
    if request.client is None:
        return None
    try:
        return str(ip_address(request.client.host))
    except ValueError:
        return None
