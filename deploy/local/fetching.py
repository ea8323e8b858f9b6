"""What the fetching of a program that tests need has in common: commands that may fail, and telling how it went."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import typer

from deploy.local.errors import StackError

_TIMEOUT_S = 1_200


def run(*command: str, directory: Path | None = None, quiet: bool = False) -> bool:
    """Whether the command succeeded; a program that is not there, or takes 20 minutes, has not."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        result = subprocess.run(
            command,
            cwd=directory,
            env=environment,
            check=False,
            capture_output=quiet,
            timeout=_TIMEOUT_S,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return result.returncode == 0


def announce(name: str, ensure: Callable[[], Path]) -> int:
    """What ``make setup-test`` runs: says where the program is, or what to do; the exit code."""
    try:
        typer.echo(f"{name}: {ensure()}")
    except StackError as error:
        typer.echo(f"error: {error}", err=True)
        return 1
    return 0
