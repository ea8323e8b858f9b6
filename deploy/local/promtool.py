"""promtool, which checks rules and queries of Prometheus: the machine's own, else fetched.

Debian's package would start a server where it is installed, so it is only taken apart. It holds Prometheus
itself, too.
"""

import os
import shutil
import tempfile
from pathlib import Path

import typer

from deploy.local.errors import StackError, explained
from deploy.local.fetching import announce, run
from deploy.local.state import cache_directory

_PACKAGE = "prometheus"


def find(program: str = "promtool") -> Path | None:
    """The path of a promtool (or of ``prometheus``) that is there; None if there is none."""
    if found := shutil.which(program):
        return Path(found)
    kept = _directory() / program
    return kept if kept.is_file() else None


def ensure(program: str = "promtool") -> Path:
    """The path of a promtool (or of ``prometheus``); if need be out of Debian's package, which takes no rights to download."""
    if found := find(program):
        return found
    if shutil.which("apt-get") and shutil.which("dpkg-deb"):
        typer.echo("fetching promtool with apt-get (20 MB, once)", err=True)
        if not _unpack() and os.geteuid() == 0 and run("apt-get", "update", quiet=True):
            _unpack()
        if found := find(program):
            return found
    msg = f"no {program} could be fetched: install the package `{_PACKAGE}`, or put {program} on the PATH"
    raise StackError(msg)


def _unpack() -> bool:
    """Keep the programs of Debian's package; False if it could not be downloaded."""
    with tempfile.TemporaryDirectory(prefix="tillstream-promtool-") as name:
        directory = Path(name)
        if not run("apt-get", "download", _PACKAGE, directory=directory, quiet=True):
            return False
        for package in directory.glob("*.deb"):
            run("dpkg-deb", "--extract", package.name, "tree", directory=directory, quiet=True)
        with explained(_directory()):
            _directory().mkdir(parents=True, exist_ok=True)
            for found in (directory / "tree" / "usr" / "bin").glob("prom*"):
                fresh = _directory() / f".{found.name}"
                shutil.copy(found, fresh)
                fresh.rename(_directory() / found.name)  # whole or not at all
    return True


def _directory() -> Path:
    return cache_directory() / "prometheus"


if __name__ == "__main__":
    raise SystemExit(announce("promtool", ensure))
