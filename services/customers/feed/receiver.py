"""Where a webhook may be: on the internet by HTTPS, or in private networks that the operator has named.

Whoever may make webhooks must not reach by them what only this service can: servers of the operator, or the addresses at
which clouds tell machines their secrets.
"""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import SplitResult, urlsplit

LONGEST_URL = 2_000
Network = IPv4Network | IPv6Network
_Address = IPv4Address | IPv6Address
_NAT64 = IPv6Network("64:ff9b::/96")
_IPV4_BITS = 0xFFFF_FFFF


class BadAddressError(ValueError):
    """A URL at which nothing may be delivered; says why."""


def networks(named: str) -> tuple[Network, ...]:
    """The networks of the setting, separated by commas."""
    return tuple(ip_network(one) for one in named.split(",") if one)


def check_url(url: str, private: Sequence[Network]) -> SplitResult:
    """The URL in its parts. Raises ``BadAddressError``; where a name leads is known only when it is asked for."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        message = "is not a URL"
        raise BadAddressError(message) from error
    if parts.scheme not in ("https", "http") or not parts.hostname or port == 0:
        message = "must be a URL as https://crm.example.com/tillstream"
        raise BadAddressError(message)
    if parts.username is not None or parts.password is not None or parts.fragment:
        message = "must have no user, password or fragment"
        raise BadAddressError(message)
    if not url.isascii() or any(one <= " " or one == "\x7f" for one in url):
        message = "must be ASCII without spaces: write others as %XX, hosts in Punycode"
        raise BadAddressError(message)
    literal = _literal(parts.hostname)
    if literal is not None:
        check_addresses(parts.scheme, [str(literal)], private)
    elif parts.scheme == "http" and not (private and parts.hostname == "localhost"):
        message = "must be https"
        raise BadAddressError(message)
    return parts


def check_addresses(scheme: str, addresses: Sequence[str], private: Sequence[Network]) -> None:
    """Raises ``BadAddressError`` unless all the addresses that a host has may be connected to by the scheme."""
    for text in addresses:
        address = _real(ip_address(text.partition("%")[0]))
        named = any(address.version == one.version and address in one for one in private)
        if named:
            continue
        if not address.is_global or address.is_multicast:
            message = "leads to a private address that is not allowed (TILLSTREAM_WEBHOOK_NETWORKS)"
            raise BadAddressError(message)
        if scheme != "https":
            message = "must be https"
            raise BadAddressError(message)


def _literal(host: str) -> _Address | None:
    try:
        return ip_address(host.partition("%")[0])
    except ValueError:
        return None


def _real(address: _Address) -> _Address:
    """The IPv4 address that is within an IPv6 one, which leads there."""
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & _IPV4_BITS)
    return address.ipv4_mapped or address.sixtofour or address
