"""Every text of the pages has its Ukrainian, where the page that says it can find it."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
SHARED = ROOT / "shared/web/pages"
SCRIPTS = sorted(
    path for folder in (SHARED, *ROOT.glob("services/*/pages")) for path in folder.glob("*.js")
)
PAGES = [
    path
    for folder in (SHARED, *sorted(ROOT.glob("services/*/pages")))
    for path in sorted(folder.glob("*.js"))
    if re.search(r"^show\w*\(", path.read_text(), re.MULTILINE)
]
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


def modules(path: Path, seen: dict[Path, str]) -> dict[Path, str]:
    """A module with all that it imports, and their texts."""
    if path not in seen and path.is_file():
        seen[path] = path.read_text()
        for name in _IMPORT.findall(seen[path]):
            for folder in (path.parent, SHARED):
                modules(folder / name, seen)
    return seen


def translated(scripts: Iterable[str]) -> Iterator[str]:
    """The texts that there are words for."""
    for script in scripts:
        if "addWords(" in script:
            yield from _KEY.findall(script)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_text_of_a_page_has_its_ukrainian(path: Path) -> None:
    found = modules(path, {}).values()
    assert sorted({text for script in found for text in said(script)} - {*translated(found)}) == []
