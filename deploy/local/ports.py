"""Which port each part listens on: last time's, else the preferred one, else any free one."""

import socket
from collections.abc import Callable, Iterable, Mapping

HOST = "127.0.0.1"


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


def any_free() -> int:
    """A port the operating system says is free."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
    return port


def choose(
    preferred: Mapping[str, int],
    last: Mapping[str, int],
    is_free: Callable[[int], bool] = free,
    other: Callable[[], int] = any_free,
) -> dict[str, int]:
    """A port for each name of ``preferred``, all different."""
    chosen: dict[str, int] = {}
    for name, port in preferred.items():
        chosen[name] = _first(_candidates(name, port, last), chosen.values(), is_free, other)
    return chosen


def _candidates(name: str, port: int, last: Mapping[str, int]) -> list[int]:
    return [last[name], port] if name in last else [port]


def _first(
    candidates: Iterable[int],
    taken: Iterable[int],
    is_free: Callable[[int], bool],
    other: Callable[[], int],
) -> int:
    used = set(taken)
    for port in candidates:
        if port and port not in used and is_free(port):
            return port
    while (port := other()) in used:
        pass
    return port
