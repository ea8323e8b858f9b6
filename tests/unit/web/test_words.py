"""Every text of the pages has its Ukrainian, where the page that says it can find it."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
SHARED = ROOT / "shared/web/pages"
SCRIPTS = sorted(
    path for folder in (SHARED, *ROOT.glob("services/*/pages")) for path in folder.glob("*.js")
)
_STRING = r'"((?:[^"\\]|\\.)*)"'
_SAID = re.compile(rf"\bt\(\s*{_STRING}")
_COUNTED = re.compile(rf"\btn\(\s*[^\"]*?{_STRING}\s*,\s*{_STRING}")
_KEY = re.compile(rf"{_STRING}\s*:")
_IMPORT = re.compile(r'(?:from|import)\s+"\./([^"]+)"')


def said(script: str) -> Iterator[str]:
    """The texts that a module looks up, but for those in its comments."""
    script = re.sub(r"^\s*//.*$", "", script, flags=re.MULTILINE)
    yield from _SAID.findall(script)
    yield from (many for _, many in _COUNTED.findall(script))


def translated(path: Path, seen: set[Path]) -> Iterator[str]:
    """The texts that a module and those that it imports have words for."""
    if path in seen or not path.is_file():
        return
    seen.add(path)
    script = path.read_text()
    if "addWords(" in script:
        yield from _KEY.findall(script)
    for name in _IMPORT.findall(script):
        for folder in (path.parent, SHARED):
            yield from translated(folder / name, seen)


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_text_has_its_ukrainian(path: Path) -> None:
    # The words of all pages are there wherever the frame is.
    words = {*translated(path, set()), *translated(SHARED / "words.js", set())}
    assert sorted(set(said(path.read_text())) - words) == []
