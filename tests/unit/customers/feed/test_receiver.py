"""Where webhooks may be."""

import pytest

from services.customers.feed.receiver import (
    BadAddressError,
    check_addresses,
    check_url,
    networks,
)

_HERE = networks("127.0.0.0/8,::1/128")


@pytest.mark.parametrize(
    "url",
    [
        "https://crm.example.com/tillstream",
        "https://crm.example.com:8443/a?b=c",
        "https://93.184.215.14/",
        "https://[2606:2800:21f:cb07:6820:80da:af6b:8b2c]/",
    ],
)
def test_webhooks_are_on_the_internet_by_https(url: str) -> None:
    assert check_url(url, ()).hostname


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://crm.example.com/", "must be https"),
        ("http://localhost:8000/", "must be https"),
        ("http://93.184.215.14/", "must be https"),
        ("https://127.0.0.1/", "private address"),
        ("https://10.1.2.3/", "private address"),
        ("https://169.254.169.254/latest/meta-data", "private address"),
        ("https://[::1]/", "private address"),
        ("https://[fe80::1%25eth0]/", "private address"),
        ("https://[::ffff:10.0.0.1]/", "private address"),
        ("https://[64:ff9b::a00:1]/", "private address"),
        ("https://[2002:a00:1::]/", "private address"),
        ("https://0.0.0.0/", "private address"),
        ("https://224.0.0.1/", "private address"),
        ("https://user:word@crm.example.com/", "no user"),
        ("https://crm.example.com/#top", "no user, password or fragment"),
        ("https://crm.example.com:0/", "must be a URL"),
        ("https://crm.example.com:99999/", "is not a URL"),
        ("ftp://crm.example.com/", "must be a URL"),
        ("https:///path", "must be a URL"),
        ("https://крм.example/", "must be ASCII"),
        ("https://crm.example.com/a b", "must be ASCII"),
    ],
)
def test_no_other_address_is_taken(url: str, why: str) -> None:
    with pytest.raises(BadAddressError, match=why):
        check_url(url, ())


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/", "http://localhost/", "https://[::1]/x"])
def test_private_networks_may_be_named(url: str) -> None:
    """There, nobody listens in, so HTTP will do."""
    assert check_url(url, _HERE)


def test_only_those_that_are_named() -> None:
    with pytest.raises(BadAddressError, match="private address"):
        check_url("http://10.0.0.1/", _HERE)


@pytest.mark.parametrize(
    ("scheme", "addresses", "why"),
    [
        ("https", ["93.184.215.14", "127.0.0.1"], "private address"),
        ("https", ["::ffff:192.168.0.1"], "private address"),
        ("http", ["93.184.215.14"], "must be https"),
    ],
)
def test_what_a_name_leads_to_is_looked_at_too(scheme: str, addresses: list[str], why: str) -> None:
    """Whoever has the name's DNS could let it lead anywhere."""
    with pytest.raises(BadAddressError, match=why):
        check_addresses(scheme, addresses, ())
    check_addresses("https", ["93.184.215.14"], ())
