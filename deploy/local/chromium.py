"""A Chromium for the browser tests: the machine's own, else installed."""

import os
import shutil
import sys
from pathlib import Path

import typer

from deploy.local.errors import StackError
from deploy.local.fetching import announce, run
from deploy.local.state import cache_directory

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def find() -> Path | None:
    """The path of a Chromium that is there; None if there is none."""
    for name in _NAMES:
        if found := shutil.which(name):
            return Path(found)
    programs = sorted(_playwright_directory().glob("chromium-*/chrome-linux*/chrome"))
    return programs[-1] if programs else None


def ensure() -> Path:
    """The path of a Chromium, installed if need be: by apt if we are root, else by Playwright."""
    if found := find():
        return found
    if os.geteuid() == 0 and shutil.which("apt-get"):
        typer.echo("installing Chromium with apt-get (a few minutes, once)")
        run("apt-get", "update")
        run("apt-get", "install", "-y", "chromium")
        if found := find():
            return found
    typer.echo("installing Chromium with Playwright (a few minutes, once)")
    run(sys.executable, "-m", "playwright", "install", "chromium")
    if found := find():
        return found
    msg = "no Chromium could be installed: install the package `chromium` and try again"
    raise StackError(msg)


def _playwright_directory() -> Path:
    default = cache_directory().parent / "ms-playwright"
    return Path(os.environ.get("PLAYWRIGHT_BROWSERS_PATH") or default)


if __name__ == "__main__":
    raise SystemExit(announce("Chromium", ensure))
