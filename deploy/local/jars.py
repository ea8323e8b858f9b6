"""Kafka's jars: fetched by jgo once per machine, checked against ``kafka.lock``."""

import hashlib
import shutil
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import typer
from jgo.maven import MavenContext
from jgo.parse import Coordinate

from deploy.local.errors import StackError, explained
from deploy.local.state import cache_directory

KAFKA_VERSION = "4.1.0"
_KAFKA = ("org.apache.kafka", "kafka_2.13", KAFKA_VERSION)
# The binding Kafka's own distribution has; without one slf4j drops every log line. It is not
# resolved together with Kafka: its bill of materials would downgrade kafka-clients to 3.8.
_LOGGING = ("org.apache.logging.log4j", "log4j-slf4j-impl", "2.24.3")
_LOCK = Path(__file__).with_name("kafka.lock")
_LOCK_HEADER = (
    f"# The jars of Kafka {KAFKA_VERSION} with their checksums:"
    " written by `python -m deploy.local.jars --lock`.\n"
)
_TIMEOUT_S = 60
_PARALLEL = 4

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Jar:
    """One line of the lock file."""

    group: str
    artifact: str
    version: str
    sha256: str

    @property
    def name(self) -> str:
        """Its file name."""
        return f"{self.artifact}-{self.version}.jar"


def parse_lock(text: str) -> tuple[Jar, ...]:
    """The jars of a lock file: ``group:artifact:version sha256:<hex>`` on each line."""
    jars = []
    for line in text.splitlines():
        if line and not line.startswith("#"):
            coordinate, _, digest = line.partition(" sha256:")
            group, artifact, version = coordinate.split(":")
            jars.append(Jar(group, artifact, version, digest.strip()))
    return tuple(jars)


def directory() -> Path:
    """Where the jars are kept."""
    return cache_directory() / f"kafka-{KAFKA_VERSION}"


def ensure(progress: Progress = lambda _: None) -> list[Path]:
    """The class path, downloading what is missing.

    A jar is put in place only when its checksum is right, so an interrupted download goes on where
    it stopped and a damaged one is never run. Raises ``StackError`` when it can't be had.
    """
    jars = parse_lock(_LOCK.read_text())
    target = directory()
    missing = [jar for jar in jars if not (target / jar.name).exists()]
    if missing:
        progress(f"downloading Kafka {KAFKA_VERSION} ({len(missing)} jars, once per machine)")
        with explained(target):
            target.mkdir(parents=True, exist_ok=True)
            _download(missing, target, progress)
    return [target / jar.name for jar in jars]


def _download(missing: list[Jar], target: Path, progress: Progress) -> None:
    # jgo writes straight to the final name, also when interrupted; so it gets a repository of ours
    # to throw away instead of ~/.m2.
    with tempfile.TemporaryDirectory(dir=target, prefix=".download-") as scratch:
        context = MavenContext(repo_cache=Path(scratch), timeout=_TIMEOUT_S)
        with ThreadPoolExecutor(_PARALLEL) as pool:
            fetched = pool.map(lambda jar: (jar, _fetch(context, jar)), missing)
            for done, (jar, path) in enumerate(fetched, 1):
                path.chmod(0o644)
                path.replace(target / jar.name)
                progress(f"downloading Kafka {KAFKA_VERSION}: {done} of {len(missing)} jars")


def _fetch(context: MavenContext, jar: Jar) -> Path:
    project = context.project(jar.group, jar.artifact)
    try:
        path = project.at_version(jar.version).artifact().resolve()
    except (RuntimeError, OSError) as error:
        # requests' exceptions are OSErrors; running out of disk is not the network's fault.
        if isinstance(error, OSError) and error.errno is not None:
            raise
        msg = (
            f"{jar.name} could not be downloaded: check the network and run the command again"
            f" ({type(error).__name__})"
        )
        raise StackError(msg) from error
    found = _sha256(path)
    if found != jar.sha256:
        msg = f"{jar.name} arrived damaged or altered (sha256 {found}): try again"
        raise StackError(msg)
    return path


def lock() -> str:
    """The text of a new lock file, from what jgo resolves now."""
    with tempfile.TemporaryDirectory() as scratch:
        context = MavenContext(repo_cache=Path(scratch), timeout=_TIMEOUT_S)
        group, artifact, version = _KAFKA
        wanted = Coordinate(groupId=group, artifactId=artifact, version=version, scope="compile")
        roots, transitive = context.resolver.resolve([context.create_dependency(wanted)])
        coordinates = {
            (each.groupId, each.artifactId, each.version)
            for each in [*roots, *transitive]
            if each.scope in ("compile", "runtime")
        }
        coordinates.add(_LOGGING)
        lines = []
        for group, artifact, version in sorted(coordinates):
            path = context.project(group, artifact).at_version(version).artifact().resolve()
            lines.append(f"{group}:{artifact}:{version} sha256:{_sha256(path)}\n")
    return _LOCK_HEADER + "".join(lines)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def main(arguments: list[str]) -> int:
    """``--download`` (what ``make setup`` runs), ``--lock`` or ``--clean``."""
    if arguments == ["--lock"]:
        _LOCK.write_text(lock())
    elif arguments == ["--clean"]:
        shutil.rmtree(directory(), ignore_errors=True)
    else:
        try:
            ensure(typer.echo)
        except StackError as error:
            typer.echo(f"error: {error}", err=True)
            return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
