"""A database of regions for tests, in the format of https://maxmind.github.io/MaxMind-DB (version 2.0)."""

from collections.abc import Mapping
from ipaddress import IPv4Network, ip_network
from pathlib import Path
from typing import Any

_MARKER = b"\xab\xcd\xefMaxMind.com"
_BITS = 32
_TEXT, _UINT16, _UINT32, _MAP, _UINT64, _ARRAY = 2, 5, 6, 7, 9, 11
_SEPARATOR_BYTES = 16


def place(country: str, subdivision: str | None = None) -> dict[str, Any]:
    """What a city database says of a network."""
    found: dict[str, Any] = {"country": {"names": {"en": country}}}
    if subdivision:
        found["subdivisions"] = [{"names": {"en": subdivision}}]
    return found


def write(path: Path, networks: Mapping[str, dict[str, Any]]) -> Path:
    """A database of IPv4 networks that do not overlap."""
    nodes: list[list[int | bytes | None]] = [[None, None]]
    for name, record in networks.items():
        network = ip_network(name)
        assert isinstance(network, IPv4Network)
        _insert(nodes, int(network.network_address), network.prefixlen, _encode(record))
    tree, data = b"", b""
    for node in nodes:
        for record_of in node:
            if isinstance(record_of, bytes):
                value = len(nodes) + _SEPARATOR_BYTES + len(data)
                data += record_of
            else:
                value = len(nodes) if record_of is None else record_of
            tree += value.to_bytes(3)
    metadata = _encode(
        {
            "node_count": (_UINT32, len(nodes)),
            "record_size": (_UINT16, 24),
            "ip_version": (_UINT16, 4),
            "database_type": "Test-City",
            "languages": ["en"],
            "binary_format_major_version": (_UINT16, 2),
            "binary_format_minor_version": (_UINT16, 0),
            "build_epoch": (_UINT64, 1),
            "description": {"en": "for tests"},
        }
    )
    path.write_bytes(tree + bytes(_SEPARATOR_BYTES) + data + _MARKER + metadata)
    return path


def _insert(nodes: list[list[int | bytes | None]], address: int, length: int, data: bytes) -> None:
    node = 0
    for depth in range(length):
        bit = address >> (_BITS - 1 - depth) & 1
        if depth == length - 1:
            nodes[node][bit] = data
            return
        below = nodes[node][bit]
        if below is None:
            nodes.append([None, None])
            below = nodes[node][bit] = len(nodes) - 1
        assert isinstance(below, int)
        node = below


def _encode(value: Any) -> bytes:
    match value:
        case str():
            body = value.encode()
            return _control(_TEXT, len(body)) + body
        case (int() as kind, int() as number):
            body = number.to_bytes((number.bit_length() + 7) // 8)
            return _control(kind, len(body)) + body
        case dict():
            items = b"".join(_encode(key) + _encode(one) for key, one in value.items())
            return _control(_MAP, len(value)) + items
        case list():
            return _control(_ARRAY, len(value)) + b"".join(map(_encode, value))
    raise TypeError(value)


def _control(kind: int, size: int) -> bytes:
    assert size < 29
    return bytes([kind << 5 | size]) if kind <= _MAP else bytes([size, kind - _MAP])
