"""The analytics service on the run's servers, a producer for what it reads, and a real browser."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

import httpx
import pytest
from playwright.async_api import Browser, async_playwright

from deploy.local import chromium
from deploy.local.services import environment
from deploy.local.stack import Stack, record
from tests.e2e.events import Publisher
from tests.waiting import until

_ROOT = Path(__file__).parents[2]
_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


@dataclass
class Analytics:
    """The service: that of the stack, or one of the test's own if the stack has none."""

    stack: Stack
    port: int = 0
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}" if self.port else self.stack.url("analytics")

    @property
    def dashboard(self) -> str:
        """The dashboard's address."""
        return f"{self.url}/dashboard"

    async def start(self) -> None:
        """Start it, unless the stack runs it, and wait until it is ready."""
        if "analytics" not in record(self.stack.state).processes:
            self.port = self.port or _free_port()
            settings = environment(
                "analytics",
                self.stack.secrets,
                kafka=self.stack.kafka,
                admin=self.stack.postgres,
                ports={**record(self.stack.state).ports, "analytics": self.port},
                inherited=os.environ,
            )
            arguments = [sys.executable, "-m", "services.analytics"]
            self.process = subprocess.Popen(arguments, env=settings, cwd=_ROOT)  # noqa: ASYNC220
        await until(self._ready, within_s=60, what="a ready analytics service")

    async def crash(self) -> None:
        """Kill it; the stack restarts its own."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
        else:
            os.kill(self.stack.pid("analytics"), signal.SIGKILL)

    def stop(self) -> None:
        """Stop the test's own."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait(timeout=30)

    async def _ready(self) -> bool:
        async with httpx.AsyncClient() as client:
            try:
                answer = await client.get(f"{self.url}/readyz")
            except httpx.TransportError:
                return False
            return answer.status_code == HTTPStatus.OK


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(scope="module")
async def analytics(stack: Stack) -> AsyncIterator[Analytics]:
    """The running service."""
    running = Analytics(stack)
    try:
        await running.start()
        yield running
    finally:
        running.stop()


@pytest.fixture(scope="module")
async def publisher(stack: Stack) -> AsyncIterator[Publisher]:
    """Publishes events as a relay does."""
    async with Publisher.opened(stack.kafka) as opened:
        yield opened


@pytest.fixture(scope="module")
async def browser() -> AsyncIterator[Browser]:
    """A real Chromium that talks to nobody of its own accord."""
    async with async_playwright() as playwright:
        opened = await playwright.chromium.launch(
            executable_path=chromium.ensure(), args=list(_FLAGS)
        )
        yield opened
        await opened.close()
