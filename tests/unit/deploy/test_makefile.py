"""Setting up without a network: one line that says what to do."""

import shutil
import subprocess
from pathlib import Path

import pytest

from deploy.local.services import ROOT

_FAILS = """#!/bin/sh
echo "Requirement already satisfied: pip"
echo "WARNING: Retrying after connection broken" >&2
exit 1
"""


@pytest.mark.parametrize(
    ("program", "stamps", "target", "what"),
    [
        ("python", ["venv"], "python", "the Python packages"),
        ("npm", ["venv", "python"], "npm", "the npm packages"),
    ],
)
def test_what_can_not_be_downloaded_is_told_in_one_line(
    tmp_path: Path, program: str, stamps: list[str], target: str, what: str
) -> None:
    for name in (
        *("Makefile", "requirements.lock", "pyproject.toml"),
        *("package.json", "package-lock.json", ".npmrc"),
    ):
        shutil.copy(ROOT / name, tmp_path)
    for directory in (tmp_path / ".venv/bin", tmp_path / ".venv/stamps"):
        directory.mkdir(parents=True)
    stub = tmp_path / ".venv/bin" / program
    stub.write_text(_FAILS)
    stub.chmod(0o755)
    for stamp in stamps:
        (tmp_path / ".venv/stamps" / stamp).touch()
    result = subprocess.run(
        ["make", f".venv/stamps/{target}"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert result.returncode != 0
    said = [line for line in result.stderr.splitlines() if not line.startswith("make")]
    assert len(said) == 1
    assert said[0].startswith(f"error: {what} could not be installed: check the network")
    assert "Retrying" in (tmp_path / ".venv/setup.log").read_text()
