"""A request that succeeds, and who makes what it names."""

from dataclasses import dataclass, field
from typing import Any, Protocol

from schemathesis.core import NOT_SET


@dataclass(frozen=True)
class Good:
    """A request that succeeds: what stands for ``{…}`` in its path, its body, its query, its headers."""

    path: dict[str, str] = field(default_factory=dict)
    body: Any = NOT_SET
    query: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)


class Asks(Protocol):
    """Asks a service for more."""

    def ask(self, service: str, method: str, path: str, body: object = None) -> dict[str, Any]:
        """The answer of a service, which must be a success; empty if it says no more."""
