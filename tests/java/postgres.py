"""A PostgreSQL that decodes its log logically, where the machine has the programs."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from supervisor.embedded.ports import free_port
from tests.support.processes import wait_until

TIMEOUT_S = 60.0
# Debian keeps what only servers need out of the search path.
_DEBIAN = sorted(map(str, Path("/usr/lib/postgresql").glob("*/bin")), reverse=True)
_PATH = os.pathsep.join([*_DEBIAN, os.environ.get("PATH", os.defpath)])
# It refuses to run as root; its packages bring a user for it.
USER = "postgres" if os.getuid() == 0 else None


def program(name: str) -> str | None:
    return shutil.which(name, path=_PATH)


def has_programs() -> bool:
    """Whether it is installed."""
    return all(map(program, ("initdb", "postgres", "psql")))


@dataclass(frozen=True)
class Postgres:
    """A server on 127.0.0.1, whose administrator `postgres` needs no password from there."""

    port: int

    def run(self, statements: str) -> list[str]:
        """Run SQL; the rows of its answer, fields with `|` between them."""
        address = ["--host=127.0.0.1", f"--port={self.port}", "--username=postgres"]
        done = subprocess.run(
            [str(program("psql")), *address, "--no-psqlrc", "--tuples-only", "--no-align", "--quiet"],
            input=statements,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    def answers(self) -> bool:
        try:
            return self.run("SELECT 1") == ["1"]
        except AssertionError:
            return False


@contextmanager
def postgres() -> Iterator[Postgres]:
    """Ends with the block."""
    # Not below the folder of the tests, which only their own user may enter.
    with tempfile.TemporaryDirectory(prefix="postgres-", ignore_cleanup_errors=True) as folder:
        if USER is not None:
            shutil.chown(folder, USER)
        data = f"{folder}/data"
        done = subprocess.run(
            [str(program("initdb")), "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync"],
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            user=USER,
            cwd=folder,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        server = Postgres(free_port())
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": server.port,
            "unix_socket_directories": "",
            "wal_level": "logical",
            "fsync": "off",
            "shared_buffers": "16MB",
        }
        log = Path(folder, "log")
        with log.open("wb") as output:
            process = subprocess.Popen(
                [str(program("postgres")), "-D", data, *(f"--{key}={value}" for key, value in settings.items())],
                stdout=output,
                stderr=output,
                user=USER,
                cwd=folder,
            )
        try:
            wait_until(server.answers, f"PostgreSQL answers: {log.read_text()}", TIMEOUT_S)
            yield server
        finally:
            process.send_signal(signal.SIGINT)  # SIGTERM would wait for its clients
            process.wait(TIMEOUT_S)
