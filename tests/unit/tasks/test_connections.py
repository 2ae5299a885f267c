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


def test_clients_of_this_process_get_their_answers() -> None:
    program = """
import os, socket
from tasks.connections import abandon_connections
server = socket.create_server(("127.0.0.1", 0))
print(server.getsockname()[1], flush=True)
connection, _ = server.accept()
abandon_connections()
connection.sendall(bytes(100_000))
os._exit(0)
"""
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        with socket.create_connection(("127.0.0.1", int(process.stdout.readline()))) as connection:
            assert process.wait(30) == 0
            answer = b""
            while more := connection.recv(1 << 20):
                answer += more
    assert len(answer) == 100_000
