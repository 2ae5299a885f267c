"""What a process has not sent yet when it ends, and what becomes of it."""

from __future__ import annotations

import socket
import subprocess
import sys

import pytest

PROGRAM = """
import os, socket, sys
from tasks.connections import abandon_connections
connection = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
connection.setblocking(False)
try:
    while True:
        connection.send(bytes(65536))
except BlockingIOError:
    pass
if sys.argv[2] == "abandon":
    abandon_connections()
os._exit(0)
"""


def sent_by(how: str) -> socket.socket:
    """The other end of a connection that was full when its process ended."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        process = subprocess.Popen([sys.executable, "-c", PROGRAM, str(server.getsockname()[1]), how])
        connection, _ = server.accept()
        assert process.wait(30) == 0
        connection.settimeout(30)
        return connection


def test_usually_the_kernel_goes_on_sending() -> None:
    with sent_by("usual") as connection:
        while connection.recv(1 << 20):
            pass


def test_what_is_abandoned_is_not_sent_any_more() -> None:
    with sent_by("abandon") as connection, pytest.raises(ConnectionResetError):
        while connection.recv(1 << 20):
            pass
