"""Sending to receivers: only to addresses that were looked at, and with what a receiver must see."""

import socket
from collections.abc import AsyncIterator, Callable
from urllib.parse import SplitResult

import httpx
import pytest

from services.customers.feed import sending
from services.customers.feed.receiver import networks
from services.customers.feed.sending import Outcome, open_client, send

Answer = Callable[[httpx.Request], httpx.Response]


def said(status: int, headers: dict[str, str] | None = None) -> httpx.Response:
    """An answer as it comes from a connection: to be read yet."""
    return httpx.Response(status, headers=headers, stream=httpx.ByteStream(b"thanks"))


class Internet:
    """Hosts and what is at their addresses."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.addresses: dict[str, list[str]] = {}
        self.asked: list[httpx.Request] = []
        self.answer: Answer = lambda _: said(204)

        async def resolve(parts: SplitResult) -> list[str]:
            if parts.hostname not in self.addresses:
                raise socket.gaierror
            return self.addresses[parts.hostname]

        monkeypatch.setattr(sending, "_resolve", resolve)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        return self.answer(request)

    async def send(self, url: str, private: str = "") -> Outcome:
        client = open_client()
        client._transport = httpx.MockTransport(self._answer)
        async with client:
            return await send(client, url, b"[]", {"X-Test": "1"}, networks(private))


@pytest.fixture
def internet(monkeypatch: pytest.MonkeyPatch) -> Internet:
    """One with a receiver."""
    made = Internet(monkeypatch)
    made.addresses["crm.example.com"] = ["93.184.215.14"]
    return made


async def test_the_address_that_was_looked_at_is_asked_in_the_name_of_the_host(
    internet: Internet,
) -> None:
    """Its certificate must be the host's; the name is not resolved again, it might lead elsewhere by then."""
    outcome = await internet.send("https://crm.example.com:8443/a?b=c")
    assert (outcome.taken, outcome.status, outcome.error) == (True, 204, None)
    [request] = internet.asked
    assert str(request.url) == "https://93.184.215.14:8443/a?b=c"
    assert request.headers["host"] == "crm.example.com:8443"
    assert request.extensions["sni_hostname"] == "crm.example.com"
    assert request.headers["x-test"] == "1"


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.7", "169.254.169.254", "::1", "fd00::1"])
async def test_a_name_that_leads_into_a_private_network_is_not_followed(
    internet: Internet, address: str
) -> None:
    internet.addresses["crm.example.com"] = ["93.184.215.14", address]
    outcome = await internet.send("https://crm.example.com/")
    assert "private address" in (outcome.error or "")
    assert internet.asked == []


async def test_a_private_network_that_is_named_is(internet: Internet) -> None:
    internet.addresses["crm.example.com"] = ["10.0.0.7"]
    assert (await internet.send("https://crm.example.com/", "10.0.0.0/8")).taken


async def test_nobody_is_followed_elsewhere(internet: Internet) -> None:
    elsewhere = {"Location": "https://127.0.0.1/secrets"}
    internet.answer = lambda _: said(307, elsewhere)
    outcome = await internet.send("https://crm.example.com/")
    assert (outcome.taken, outcome.error) == (False, "answered 307")
    assert len(internet.asked) == 1


async def test_another_address_of_the_host_is_tried_where_one_does_not_answer(
    internet: Internet,
) -> None:
    internet.addresses["crm.example.com"] = ["93.184.215.14", "93.184.215.15"]

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.host.endswith("14"):
            raise httpx.ConnectError("refused")
        return said(200)

    internet.answer = answer
    assert (await internet.send("https://crm.example.com/")).taken
    assert [request.url.host[-2:] for request in internet.asked] == ["14", "15"]


def _raise(error: Exception) -> Answer:
    def answer(_: httpx.Request) -> httpx.Response:
        raise error

    return answer


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (_raise(httpx.ConnectError("refused")), "no connection"),
        (_raise(httpx.ReadTimeout("")), "no answer within 10 s"),
        (_raise(TimeoutError()), "no answer within 10 s"),
        (_raise(httpx.RemoteProtocolError("")), "the connection broke (RemoteProtocolError)"),
        (lambda _: said(500), "answered 500"),
        (lambda _: said(199), "answered 199"),
        (lambda _: said(410), "answered 410"),
    ],
)
async def test_why_something_was_not_taken_is_said_without_what_was_sent(
    internet: Internet, answer: Answer, error: str
) -> None:
    internet.answer = answer
    outcome = await internet.send("https://crm.example.com/")
    assert (outcome.taken, outcome.error) == (False, error)
    assert outcome.gone == (error == "answered 410")


async def test_a_host_that_is_not_known_is_said_to_be(internet: Internet) -> None:
    assert (await internet.send("https://other.example.com/")).error == "the host is not known"


@pytest.mark.parametrize(
    ("value", "seconds"), [("7", 7.0), ("Wed, 21 Oct 2026 07:28:00 GMT", 0.0), ("-1", 0.0)]
)
async def test_how_long_the_receiver_wants_to_be_left_alone(
    internet: Internet, value: str, seconds: float
) -> None:
    internet.answer = lambda _: said(503, {"Retry-After": value})
    assert (await internet.send("https://crm.example.com/")).asked_s == seconds


async def test_an_answer_without_end_is_not_read_to_it(internet: Internet) -> None:
    class Endless(httpx.AsyncByteStream):
        sent = 0

        async def __aiter__(self) -> AsyncIterator[bytes]:
            while True:
                self.sent += 1024
                yield bytes(1024)

    endless = Endless()
    internet.answer = lambda _: httpx.Response(200, stream=endless)
    assert (await internet.send("https://crm.example.com/")).taken
    assert endless.sent <= 66 * 1024
