"""Which port each part listens on: last time's, else the preferred one, else any free one."""

import random
import socket
from collections.abc import Callable, Iterable, Mapping

from deploy.local.errors import StackError

HOST = "127.0.0.1"
_OTHERS = (15_000, 32_000)
_ATTEMPTS = 1_000


def free(port: int) -> bool:
    """Whether ``port`` can be listened on now."""
    with socket.socket() as probe:
        # As servers do: a port whose last connections are in TIME_WAIT is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def other() -> int:
    """Some port below those that the operating system gives to clients."""
    return random.randrange(*_OTHERS)  # noqa: S311 - not a secret


class Claims:
    """The ports of one stack, which no other stack on this machine takes.

    A port that was only looked at may be anybody's by the time a server binds it; and one whose
    server is being restarted looks free. So each is claimed as long as the stack runs, by a name
    in the abstract namespace of Unix sockets: the kernel forgets it with the process.
    """

    def __init__(self) -> None:
        """Nothing is claimed yet."""
        self._sockets: list[socket.socket] = []

    def take(self, port: int) -> bool:
        """Claim ``port``; False if another stack has it or somebody listens on it."""
        claim = socket.socket(socket.AF_UNIX)
        try:
            claim.bind(f"\0tillstream/port/{port}")
        except OSError:
            claim.close()
            return False
        if not free(port):
            claim.close()
            return False
        self._sockets.append(claim)
        return True

    def release(self) -> None:
        """Leave the ports to others."""
        for claim in self._sockets:
            claim.close()
        self._sockets.clear()


def choose(
    preferred: Mapping[str, int],
    last: Mapping[str, int],
    take: Callable[[int], bool],
    another: Callable[[], int] = other,
) -> dict[str, int]:
    """A port for each name of ``preferred``, all different, each taken by ``take``."""
    chosen: dict[str, int] = {}
    for name, port in preferred.items():
        chosen[name] = _first(_candidates(name, port, last), chosen.values(), take, another)
    return chosen


def _candidates(name: str, port: int, last: Mapping[str, int]) -> list[int]:
    return [last[name], port] if name in last else [port]


def _first(
    candidates: Iterable[int],
    taken: Iterable[int],
    take: Callable[[int], bool],
    another: Callable[[], int],
) -> int:
    used = set(taken)
    for port in candidates:
        if port and port not in used and take(port):
            return port
    for _ in range(_ATTEMPTS):
        port = another()
        if port not in used and take(port):
            return port
    msg = f"no free port was found in {_ATTEMPTS} attempts: end what listens on so many"
    raise StackError(msg)
