"""The pipe between supervisor and child: length-prefixed msgpack messages over a socket pair.

The child's end is blocking (one reader thread, many senders); the supervisor's end is asyncio and lives in
`supervisor/processes/process.py`. Both use the codec here.
"""

from __future__ import annotations

import socket
import struct
import threading

import msgspec

from tasks.messages import Message, Order, Report
from tasks.secrets.reports import without_secrets

LENGTH = struct.Struct("!I")
# A plan of 10,000 tasks with 50 keys each stays under this; more is a broken peer, not a message.
MAX_MESSAGE_BYTES = 256 * 1024 * 1024

_encoder = msgspec.msgpack.Encoder()
_order_decoder = msgspec.msgpack.Decoder(Order)
_report_decoder = msgspec.msgpack.Decoder(Report)


def encode(message: Message) -> bytes:
    """The frame of one message: 4 bytes of length, big-endian, then msgpack."""
    body = _encoder.encode(message)
    return LENGTH.pack(len(body)) + body


def decode_order(body: bytes) -> Order:
    """Raises msgspec.DecodeError for what is not an order."""
    order: Order = _order_decoder.decode(body)
    return order


def decode_report(body: bytes) -> Report:
    """Raises msgspec.DecodeError for what is not a report."""
    report: Report = _report_decoder.decode(body)
    return report


class ChannelClosed(Exception):
    """The supervisor is gone."""


class ChildChannel:
    """The child's end. `send` may be called from any thread; `receive` from one."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._socket.setblocking(True)
        self._send_lock = threading.Lock()

    def send(self, report: Report) -> None:
        """Raises ChannelClosed when nobody listens."""
        frame = encode(without_secrets(report))
        try:
            with self._send_lock:
                self._socket.sendall(frame)
        except OSError as error:
            raise ChannelClosed from error

    def receive(self) -> Order:
        """The next order; blocks. Raises ChannelClosed at the end."""
        (length,) = LENGTH.unpack(self._read(LENGTH.size))
        return decode_order(self._read(length))

    def _read(self, count: int) -> bytes:
        parts: list[bytes] = []
        while count:
            try:
                part = self._socket.recv(min(count, 1 << 20))
            except OSError as error:
                raise ChannelClosed from error
            if not part:
                raise ChannelClosed
            parts.append(part)
            count -= len(part)
        return b"".join(parts)

    def fileno(self) -> int:
        """The descriptor of the channel."""
        return self._socket.fileno()

    def close(self) -> None:
        self._socket.close()
