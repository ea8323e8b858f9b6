"""promtool is what is there, else what is in Debian's package: taken out, never installed."""

from pathlib import Path

import pytest

from deploy.local import promtool
from deploy.local.errors import StackError

_APT_GET = """#!/bin/sh
echo "apt-get $*" >> "$CALLS"
[ -e "$LISTS" ] || [ "$1" = update ] || exit 100
: > "$LISTS"
[ "$1" != download ] || : > "$2.deb"
"""
_DPKG_DEB = """#!/bin/sh
/bin/mkdir -p "$3/usr/bin" && : > "$3/usr/bin/promtool" && : > "$3/usr/bin/prometheus"
"""


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of programs, all that are on the PATH."""
    directory = tmp_path / "bin"
    directory.mkdir()
    monkeypatch.setenv("PATH", str(directory))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("CALLS", str(tmp_path / "calls"))
    monkeypatch.setenv("LISTS", str(tmp_path / "lists"))
    return directory


def put(directory: Path, name: str, script: str) -> Path:
    program = directory / name
    program.write_text(script)
    program.chmod(0o755)
    return program


def test_the_machines_own_is_taken(programs: Path) -> None:
    own = put(programs, "promtool", "#!/bin/sh\n")
    put(programs, "apt-get", _APT_GET)
    assert promtool.ensure() == own
    assert not (programs.parent / "calls").exists()


def test_else_it_comes_out_of_debians_package_once_and_nothing_is_installed(
    programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 0)
    put(programs, "apt-get", _APT_GET)
    put(programs, "dpkg-deb", _DPKG_DEB)
    found = promtool.ensure()
    assert found == programs.parent / "cache" / "tillstream" / "prometheus" / "promtool"
    assert promtool.ensure() == found
    calls = (programs.parent / "calls").read_text().splitlines()
    # The lists of packages were not there: only root may fetch them.
    assert calls == ["apt-get download prometheus", "apt-get update", "apt-get download prometheus"]


def test_if_there_is_none_it_is_said_what_to_install(programs: Path) -> None:
    put(programs, "apt-get", "#!/bin/sh\nexit 100\n")
    with pytest.raises(StackError, match="install the package `prometheus`"):
        promtool.ensure()
