"""A Chromium for the browser tests: its headless shell, else the machine's own, else installed.

The shell is Chromium without windows of its own: a new page costs it a quarter of what it costs the whole program.
"""

import os
import shutil
import sys
from pathlib import Path

import typer

from deploy.local.errors import StackError
from deploy.local.fetching import announce, run
from deploy.local.state import cache_directory

_SHELL = "chromium-headless-shell"
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def find() -> Path | None:
    """The path of a Chromium that is there; None if there is none."""
    if shell := _shell():
        return shell
    for name in _NAMES:
        if found := shutil.which(name):
            return Path(found)
    return None


def _shell() -> Path | None:
    if found := shutil.which(_SHELL):
        return Path(found)
    programs = _playwright_directory().glob("chromium_headless_shell-*/*/*headless*shell")
    return max(programs, default=None)


def ensure() -> Path:
    """The path of a Chromium, installed if need be."""
    return find() or fetch()


def fetch() -> Path:
    """The path of the shell, installed if need be: by apt if we are root, else by Playwright; else of what is there."""
    if found := _shell():
        return found
    if os.geteuid() == 0 and shutil.which("apt-get"):
        typer.echo(f"installing {_SHELL} with apt-get (a few minutes, once)")
        run("apt-get", "update")
        run("apt-get", "install", "-y", _SHELL)
        if found := _shell():
            return found
    typer.echo(f"installing {_SHELL} with Playwright (a few minutes, once)")
    run(sys.executable, "-m", "playwright", "install", "--only-shell", "chromium")
    if found := find():
        return found
    msg = f"no Chromium could be installed: install the package `{_SHELL}` and try again"
    raise StackError(msg)


def _playwright_directory() -> Path:
    default = cache_directory().parent / "ms-playwright"
    return Path(os.environ.get("PLAYWRIGHT_BROWSERS_PATH") or default)


if __name__ == "__main__":
    raise SystemExit(announce("Chromium", fetch))
