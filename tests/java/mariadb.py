"""A MariaDB with a binary log, where the machine has the programs."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from supervisor.embedded.ports import free_port
from tests.support.processes import wait_until

PROGRAMS = ("mariadbd", "mariadb-install-db", "mariadb")
TIMEOUT_S = 60.0


def has_programs() -> bool:
    """Whether it is installed."""
    return all(map(shutil.which, PROGRAMS))


@dataclass(frozen=True)
class MariaDB:
    """A server on 127.0.0.1; `socket` is for its administrator."""

    port: int
    socket: Path

    def run(self, statements: str) -> None:
        """Run SQL as the administrator."""
        done = subprocess.run(
            ["mariadb", "--no-defaults", f"--socket={self.socket}", "--user=root"],
            input=statements,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
        )
        assert done.returncode == 0, done.stderr


@contextmanager
def mariadb(folder: Path) -> Iterator[MariaDB]:
    """Ends with the block. Its data are in `folder`."""
    user = pwd.getpwuid(os.getuid()).pw_name
    data = folder / "data"
    install = ["mariadb-install-db", "--no-defaults", f"--datadir={data}", f"--user={user}", "--skip-test-db"]
    done = subprocess.run(
        [*install, "--auth-root-authentication-method=normal"], capture_output=True, text=True, timeout=TIMEOUT_S
    )
    assert done.returncode == 0, done.stdout + done.stderr
    server = MariaDB(free_port(), folder / "s.sock")
    log = folder / "mariadb.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [
                *("mariadbd", "--no-defaults", f"--datadir={data}", f"--user={user}", "--bind-address=127.0.0.1"),
                *(f"--port={server.port}", f"--socket={server.socket}", f"--pid-file={folder / 'pid'}"),
                *("--server-id=1", "--log-bin=binlog", "--binlog-format=ROW", "--binlog-row-image=FULL"),
                *("--skip-name-resolve", "--innodb-buffer-pool-size=16M", "--performance-schema=0"),
            ],
            stdout=output,
            stderr=output,
        )
    try:
        wait_until(lambda: "ready for connections" in log.read_text(), f"MariaDB is ready; see {log}", TIMEOUT_S)
        yield server
    finally:
        process.terminate()
        process.wait(TIMEOUT_S)
