"""A batch to a receiver, over HTTP: to an address that was looked at, within ten seconds, following nobody elsewhere."""

import asyncio
import socket
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import SplitResult

import httpx

from services.customers.feed.receiver import (
    BadAddressError,
    Network,
    check_addresses,
    check_url,
)
from shared import clock

TIMEOUT_S = 10.0
_MOST_ANSWERED = 64 * 1024  # as much as is read to keep a connection
_HTTPS = 443


@dataclass(frozen=True)
class Outcome:
    """How an attempt ended: ``taken`` with a 2xx, or why not, in words without anything that was sent or answered."""

    taken: bool
    status: int | None = None
    error: str | None = None
    asked_s: float = 0.0
    milliseconds: int = 0

    @property
    def gone(self) -> bool:
        """Whether the receiver says that it wants nothing any more."""
        return self.status == HTTPStatus.GONE


def open_client() -> httpx.AsyncClient:
    """A client for one receiver: connections are told apart by address only, not by whom their certificate names."""
    return httpx.AsyncClient(trust_env=False, follow_redirects=False, timeout=TIMEOUT_S)


async def send(
    client: httpx.AsyncClient,
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    private: Sequence[Network],
) -> Outcome:
    """Post the body. ``private`` are the private networks that a receiver may be in."""
    started = clock.monotonic()
    status, error, asked_s = None, None, 0.0
    try:
        async with asyncio.timeout(TIMEOUT_S):
            parts = check_url(url, private)
            addresses = await _resolve(parts)
            check_addresses(parts.scheme, addresses, private)
            status, asked_s = await _post(client, url, parts, addresses, body, headers)
        if not HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
            error = f"answered {status}"
    except BadAddressError as refused:
        error = f"the address {refused}"
    except (TimeoutError, httpx.TimeoutException):
        error = f"no answer within {TIMEOUT_S:.0f} s"
    except socket.gaierror:
        error = "the host is not known"
    except httpx.ConnectError as failed:
        error = _why_not_connected(failed)
    except (httpx.HTTPError, OSError) as failed:
        error = f"the connection broke ({type(failed).__name__})"
    milliseconds = round((clock.monotonic() - started) * 1000)
    return Outcome(error is None, status, error, asked_s, milliseconds)


async def _resolve(parts: SplitResult) -> list[str]:
    """The addresses that the host has."""
    host = parts.hostname or ""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(
            host, parts.port or _HTTPS, type=socket.SOCK_STREAM
        )
    except UnicodeError as error:  # a label that is too long
        raise socket.gaierror from error
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


async def _post(
    client: httpx.AsyncClient,
    url: str,
    parts: SplitResult,
    addresses: Sequence[str],
    body: bytes,
    headers: Mapping[str, str],
) -> tuple[int, float]:
    """The status of the answer, and after how many seconds to come again. Asked of the first address that answers.

    The name is not resolved again: it might lead elsewhere by then.
    """
    named = httpx.URL(url)
    sent = {**headers, "Host": named.netloc.decode("ascii")}
    for last, address in enumerate(addresses, start=1 - len(addresses)):
        target = named.copy_with(host=address)
        try:
            async with client.stream(
                "POST",
                target,
                content=body,
                headers=sent,
                extensions={"sni_hostname": parts.hostname},
            ) as answer:
                read = 0
                async for chunk in answer.aiter_raw():
                    read += len(chunk)
                    if read > _MOST_ANSWERED:
                        break
                return answer.status_code, _asked(answer)
        except httpx.ConnectError:
            if last == 0:
                raise
    raise socket.gaierror


def _asked(answer: httpx.Response) -> float:
    asked = answer.headers.get("retry-after", "")
    return float(asked) if asked.isdecimal() and asked.isascii() else 0.0


def _why_not_connected(error: httpx.ConnectError) -> str:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return "its certificate is not valid"
        if isinstance(cause, ssl.SSLError):
            return "no TLS connection"
        cause = cause.__cause__ or cause.__context__
    return "no connection"
