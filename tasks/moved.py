"""Where a process goes on that was moved to another Python interpreter by `tasks.moving`."""

from __future__ import annotations

import socket

import msgspec

from tasks import preload
from tasks.entry import go_on
from tasks.moving import Handover, Interpreter


def main(handover: str) -> None:
    """What the new interpreter calls; never returns."""
    given = msgspec.json.decode(handover, type=Handover)
    preload.inherit(given.inheritance)
    order = None
    if given.order is not None:
        with open(given.order, "rb") as file:
            order = file.read()
    go_on(socket.socket(fileno=given.channel), Interpreter(given.python, given.home), order)
