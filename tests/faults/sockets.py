"""A process's TCP connections, and cutting them: both ends see them end."""

import ctypes
import os
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_LIBC = ctypes.CDLL(None, use_errno=True)
_PIDFD_GETFD = 438
_ESTABLISHED = "01"
_LOCAL, _REMOTE, _STATE, _INODE = 1, 2, 3, 9


@dataclass(frozen=True)
class Connection:
    """One established connection, with the process's file descriptor of it."""

    descriptor: int
    local_port: int
    remote_port: int


def connections(pid: int) -> Iterator[Connection]:
    """The established TCP connections of a process."""
    sockets: dict[str, Connection] = {}
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[_STATE] == _ESTABLISHED:
                local, remote = (int(fields[n].rpartition(":")[2], 16) for n in (_LOCAL, _REMOTE))
                sockets[f"socket:[{fields[_INODE]}]"] = Connection(-1, local, remote)
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        try:
            target = str(entry.readlink())
        except FileNotFoundError:  # closed meanwhile
            continue
        if target in sockets:
            known = sockets[target]
            yield Connection(int(entry.name), known.local_port, known.remote_port)


def cut(pid: int, remote_port: int) -> int:
    """Cut a process's connections to a port; how many there were.

    Takes a second descriptor of each socket and shuts it down. Raises ``OSError`` where the kernel does not
    let us (it needs the right to trace the process).
    """
    handle = os.pidfd_open(pid)
    try:
        theirs = [c for c in connections(pid) if c.remote_port == remote_port]
        for connection in theirs:
            _shut_down(handle, connection.descriptor)
        return len(theirs)
    finally:
        os.close(handle)


def _shut_down(handle: int, descriptor: int) -> None:
    ours = _LIBC.syscall(_PIDFD_GETFD, handle, descriptor, 0)
    if ours < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    with socket.socket(fileno=ours) as shared:
        try:
            shared.shutdown(socket.SHUT_RDWR)
        except OSError:  # it ended by itself just now
            return
