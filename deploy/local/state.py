"""The state directory: where it is, its secrets, and the record of what runs."""

import base64
import errno
import json
import os
import secrets
import shutil
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from deploy.local.errors import StackError, explained
from deploy.local.identity import Identity

_DISK_MIN_BYTES = 512 * 1024 * 1024
_MARK = ".tillstream"  # tells a state directory from anybody's data
_MALFORMED = (ValueError, TypeError, KeyError, AttributeError)


def default_state() -> Path:
    """Where the stack keeps its data unless told otherwise."""
    if given := os.environ.get("TILLSTREAM_STATE"):
        return Path(given).expanduser().absolute()
    base = os.environ.get("XDG_STATE_HOME") or "~/.local/state"
    return Path(base).expanduser().absolute() / "tillstream"


def cache_directory() -> Path:
    """Where downloads are kept for every state directory of this machine's user."""
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser().absolute() / "tillstream"


@dataclass(frozen=True, repr=False)
class Secrets:
    """What is generated once per state directory."""

    id: str
    kafka_cluster: str
    postgres_password: str
    signing_key: str
    verify_key: str
    admin_key: str
    code_key: str
    code_cipher_key: str
    databases: dict[str, str] = field(default_factory=dict)
    admin_password: str = ""
    customers_key: str = ""

    @classmethod
    def generate(cls) -> "Secrets":
        """New ones."""
        key = Ed25519PrivateKey.generate()
        private = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        public = key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        return cls(
            id=secrets.token_hex(8),
            # Kafka's form of a UUID: 22 characters of URL-safe base64; it refuses a leading dash.
            kafka_cluster="T" + base64.urlsafe_b64encode(secrets.token_bytes(16)).decode()[1:22],
            postgres_password=secrets.token_urlsafe(24),
            signing_key=private.decode(),
            verify_key=public.decode(),
            admin_key="ts_" + secrets.token_urlsafe(32),
            code_key=secrets.token_hex(32),
            code_cipher_key=Fernet.generate_key().decode(),
        )

    def completed(self, databases: Iterable[str]) -> "Secrets":
        """With a password for each of ``databases``, the console's, and the customers' key; existing ones stay."""
        new = {name: secrets.token_urlsafe(24) for name in databases if name not in self.databases}
        return replace(
            self,
            databases={**self.databases, **new},
            admin_password=self.admin_password or secrets.token_urlsafe(12),
            customers_key=self.customers_key or secrets.token_hex(32),
        )


@dataclass(frozen=True)
class Process:
    """One supervised process, as ``status`` shows it."""

    name: str
    state: str = "waiting"
    address: str = ""
    restarts: int = 0
    identity: Identity | None = None


@dataclass(frozen=True)
class Record:
    """``stack.json``: what runs, or ran last, in a state directory."""

    supervisor: Identity | None = None
    phase: str = "starting"
    message: str = ""
    error: str = ""
    kafka: str = ""
    postgres_port: int = 0
    ports: dict[str, int] = field(default_factory=dict)
    processes: dict[str, Process] = field(default_factory=dict)

    @property
    def alive(self) -> bool:
        """Whether its supervisor still runs."""
        return self.supervisor is not None and self.supervisor.alive()

    @property
    def leftovers(self) -> list[Identity]:
        """Recorded processes that still run."""
        known = (process.identity for process in self.processes.values())
        return [identity for identity in known if identity is not None and identity.alive()]


class StateDirectory:
    """The files below one state directory."""

    def __init__(self, path: Path | None = None) -> None:
        """``path``, or the default; nothing is touched until ``prepare``."""
        self.path = (path or default_state()).absolute()
        self.kafka = self.path / "kafka"
        self.postgres = self.path / "postgres"
        self.logs = self.path / "logs"
        self.demo = self.path / "demo"
        """The state directory of the demo's own stack."""

    @property
    def ours(self) -> bool:
        """Whether this is a state directory, or nothing yet; anything else is somebody's data."""
        with explained(self.path):
            if not self.path.is_dir():
                return not self.path.exists()
            if {each.name for each in self.path.iterdir()} <= {self.demo.name}:
                return not self.demo.exists() or StateDirectory(self.demo).ours
            if (self.path / _MARK).exists():
                return True
        try:
            self._secrets()
        except StackError:
            return False
        return True

    def delete(self) -> None:
        """Remove the data; files that others put beside them stay."""
        with explained(self.path):
            # The server's data may lie elsewhere, behind a link.
            for directory in (self.postgres.resolve(), self.kafka, self.logs):
                if directory.exists():
                    shutil.rmtree(directory)
            self.postgres.unlink(missing_ok=True)
            # The mark last: as long as it is there, this is known to be ours.
            for pattern in (
                "*.json.*.tmp",
                ".writable",
                "lock",
                "stack.json",
                "secrets.json",
                f"{_MARK}*",
            ):
                for file in self.path.glob(pattern):
                    file.unlink()
            if self.path.is_dir() and not any(self.path.iterdir()):
                self.path.rmdir()

    def prepare(self) -> None:
        """Make the directories; raise ``StackError`` if they can't be written."""
        with explained(self.path):
            self.path.mkdir(parents=True, exist_ok=True)
            theirs = [each for each in (self.kafka, self.postgres, self.logs) if each.exists()]
            if theirs and not self.ours:
                msg = f"{theirs[0]} is there and not of Tillstream: name an empty state directory"
                raise StackError(msg)
            for directory in (self.kafka, self.logs):
                directory.mkdir(exist_ok=True)
            _write(self.path / _MARK, "", 0o600)
            if shutil.disk_usage(self.path).free < _DISK_MIN_BYTES:
                # Better now than in the middle of making a database.
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def log(self, process: str) -> Path:
        """The log of ``process``."""
        return self.logs / f"{process}.log"

    def secrets(self, databases: Iterable[str] = ()) -> Secrets:
        """The secrets, generated on first use, with a password for each of ``databases``."""
        path = self.path / "secrets.json"
        found = self._secrets() if path.exists() else None
        wanted = (found or Secrets.generate()).completed(databases)
        if wanted != found:
            with explained(path):
                _write(path, json.dumps(asdict(wanted), indent=2), 0o600)
        return wanted

    def _secrets(self) -> Secrets:
        path = self.path / "secrets.json"
        try:
            return Secrets(**_read(path))
        except TypeError as error:
            msg = f"{path} holds no secrets of Tillstream: restore it from a backup"
            raise StackError(msg) from error

    def read(self) -> Record:
        """The record; an empty one if there is none (or a crash of the machine emptied it)."""
        path = self.path / "stack.json"
        try:
            return _record(json.loads(path.read_text()))
        except (FileNotFoundError, NotADirectoryError, *_MALFORMED):
            return Record(phase="down")
        except OSError as error:
            msg = f"{path} can't be read: {error.strerror}"
            raise StackError(msg) from error

    def write(self, record: Record) -> None:
        """Replace the record in one step: readers see the old or the new one."""
        with explained(self.path):
            _write(self.path / "stack.json", json.dumps(asdict(record), indent=2), 0o600)


def _read(path: Path) -> dict[str, Any]:
    try:
        content: dict[str, Any] = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        msg = f"{path} can't be read ({error}): restore it from a backup"
        raise StackError(msg) from error
    return content


def _identity(raw: dict[str, Any] | None) -> Identity | None:
    return Identity(**raw) if raw else None


def _record(raw: dict[str, Any]) -> Record:
    processes = {
        name: Process(**{**process, "identity": _identity(process["identity"])})
        for name, process in raw["processes"].items()
    }
    return Record(**{**raw, "supervisor": _identity(raw["supervisor"]), "processes": processes})


def _write(path: Path, text: str, mode: int) -> None:
    # A name of our own: two processes may write at the same time.
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
