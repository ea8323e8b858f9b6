"""The README's examples work when pasted, in their order."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from deploy.local.stack import Stack
from tests.integration import shop

ROOT = Path(__file__).resolve().parents[2]
_BLOCK = re.compile(r"^```(bash|python)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(language: str) -> list[str]:
    """The README's code blocks of a language."""
    return [
        text for kind, text in _BLOCK.findall((ROOT / "README.md").read_text()) if kind == language
    ]


@pytest.fixture
def environment(stack: Stack) -> dict[str, str]:
    """A newcomer's shell, with this run's stack as the one that is up."""
    path = f"{ROOT / '.venv/bin'}:{os.environ['PATH']}"
    return {**os.environ, "TILLSTREAM_STATE": str(stack.state), "PATH": path}


def paste(script: str, environment: dict[str, str]) -> str:
    """What the shell prints; fails with its errors."""
    run = subprocess.run(
        ["bash", "-eu", "-o", "pipefail", "-c", script],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout


async def test_a_promotion_is_authored_quoted_and_sold_as_the_readme_says(
    stack: Stack, environment: dict[str, str]
) -> None:
    variables, author, quote, checkout, known, what_if = blocks("bash")
    [till] = blocks("python")
    functions = author.split("\n\n")[0]
    assert stack.url("emission") in paste(variables, environment)
    paste(f"{variables}\n{author}", environment)
    await shop.until_decided_by(stack, "welcome")
    assert '"discount":3500' in paste(f"{variables}\n{functions}\n{quote}", environment)
    assert '"status":"committed"' in paste(f"{variables}\n{functions}\n{checkout}", environment)
    assert '"purchases":1' in paste(f"{variables}\n{functions}\n{known}", environment)
    sold = paste(f"{variables}\npython - <<'TILL'\n{till}\nTILL", environment)
    decision, discount = sold.splitlines()[-2:]
    assert discount == "discount 3500"
    explained = paste(f"tillstream explain {decision.removeprefix('decision ')}", environment)
    assert "UAH 35.00 off" in explained
    tried = paste(f"{variables}\n{what_if}", environment)
    assert re.search(r"[1-9]\d* decisions made again, 0 differ", tried)
    assert "5% off from 200.00" in tried
