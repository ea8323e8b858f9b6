"""What can go wrong when the stack starts, in one line that says what to do."""

import errno
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PYTHON = (3, 11)
_LAST_LINES = 6
# ENOENT is what /proc says to a new directory.
_NOT_WRITABLE = (
    errno.EACCES,
    errno.EPERM,
    errno.EROFS,
    errno.ENOTDIR,
    errno.EEXIST,
    errno.ENOENT,
)


class StackError(Exception):
    """Something the person at the keyboard can mend; its text says how."""


def require_python(version: tuple[int, ...] | None = None) -> None:
    """Raise ``StackError`` unless this is Python 3.11, which faust-streaming is pinned for."""
    found = version or tuple(sys.version_info[:2])
    if found[:2] != _PYTHON:
        text = ".".join(str(part) for part in found[:2])
        msg = f"Tillstream needs Python 3.11, this is {text}: install python3.11, then run `make setup`"
        raise StackError(msg)


def explain(error: OSError, where: Path) -> StackError:
    """``error``, met while writing below ``where``, as one line that says what to do."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return StackError(
            f"no space left on the disk of {where}: free some, or set TILLSTREAM_STATE to another disk"
        )
    if error.errno in _NOT_WRITABLE:
        return StackError(
            f"{where} is not writable ({error.strerror}): mend that, or set TILLSTREAM_STATE"
            " to a directory of your own"
        )
    return StackError(f"{where}: {error}")


@contextmanager
def explained(where: Path) -> Iterator[None]:
    """Turn an ``OSError`` raised inside into the ``StackError`` that explains it."""
    try:
        yield
    except OSError as error:
        raise explain(error, where) from error


def last_lines(log: Path, count: int = _LAST_LINES) -> str:
    """The end of ``log``, for an error message; empty if there is no such file."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 8192))
            lines = file.read().decode(errors="replace").splitlines()
    except OSError:
        return ""
    return "\n".join(f"  {line}" for line in lines[-count:])
