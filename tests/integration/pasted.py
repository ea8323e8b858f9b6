"""Programs of the documentation, run as they are pasted."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_BLOCK = re.compile(r"^```(bash|python)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(document: Path, language: str) -> list[str]:
    """A document's code blocks of a language, in their order."""
    return [text for kind, text in _BLOCK.findall(document.read_text()) if kind == language]


@contextmanager
def running(
    program: str, environment: Mapping[str, str], folder: Path
) -> Iterator["subprocess.Popen[bytes]"]:
    """A Python program, pasted into an interpreter in a folder of its own; killed at the end, if it still runs."""
    with (folder / "out").open("ab") as out:
        process = subprocess.Popen(
            [sys.executable, "-c", program],
            cwd=folder,
            env={**os.environ, **environment},
            stdout=out,
            stderr=out,
        )
        try:
            yield process
        finally:
            process.kill()
            process.wait()
