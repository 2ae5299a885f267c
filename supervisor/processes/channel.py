"""The supervisor's end of a child's channel: framed messages over a non-blocking socket on the event loop."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable

import msgspec

from tasks.channel import LENGTH, MAX_MESSAGE_BYTES, decode_report, encode
from tasks.messages import Order, Report

_READ_BYTES = 256 * 1024


class Channel:
    """Hands every report to `on_report`, and what the child should not have sent to `on_broken`.

    Sending never blocks: what the socket does not take at once waits here.
    """

    def __init__(
        self,
        sock: socket.socket,
        on_report: Callable[[Report], None],
        on_broken: Callable[[str], None],
    ) -> None:
        sock.setblocking(False)
        self._socket = sock
        self._on_report = on_report
        self._on_broken = on_broken
        self._loop = asyncio.get_running_loop()
        self._received = bytearray()
        self._unsent = bytearray()
        self._closed = False
        self._loop.add_reader(sock.fileno(), self._read)

    def send(self, order: Order) -> None:
        """Send an order; if the child is gone it is dropped, for its exit is reported anyway."""
        if self._closed:
            return
        waiting = bool(self._unsent)
        self._unsent += encode(order)
        if not waiting:
            self._write()

    def drain(self) -> None:
        """Handle what a child has sent before its end, without waiting for more."""
        while not self._closed and self._read():
            pass

    def close(self) -> None:
        """Close the socket. The child takes this for the end of the supervisor and exits."""
        if not self._closed:
            self._closed = True
            self._loop.remove_reader(self._socket.fileno())
            self._loop.remove_writer(self._socket.fileno())
            self._socket.close()

    def _write(self) -> None:
        try:
            sent = self._socket.send(self._unsent)
        except BlockingIOError:
            sent = 0
        except OSError:  # the child is gone
            self._loop.remove_writer(self._socket.fileno())
            self._unsent.clear()
            return
        del self._unsent[:sent]
        if self._unsent:
            self._loop.add_writer(self._socket.fileno(), self._write)
        else:
            self._loop.remove_writer(self._socket.fileno())

    def _read(self) -> bool:
        """Read once; False when there is nothing more now."""
        try:
            part = self._socket.recv(_READ_BYTES)
        except BlockingIOError:
            return False
        except OSError:
            part = b""
        if not part:
            self._loop.remove_reader(self._socket.fileno())
            return False
        self._received += part
        self._handle_messages()
        return True

    def _handle_messages(self) -> None:
        try:
            while not self._closed and (body := self._next_body()) is not None:
                self._on_report(decode_report(body))
        except (msgspec.DecodeError, _TooLong) as error:
            self.close()
            self._on_broken(str(error))

    def _next_body(self) -> bytes | None:
        if len(self._received) < LENGTH.size:
            return None
        (length,) = LENGTH.unpack_from(self._received)
        if length > MAX_MESSAGE_BYTES:
            raise _TooLong(f"a message of {length} bytes was announced, the limit is {MAX_MESSAGE_BYTES}")
        end = LENGTH.size + length
        if len(self._received) < end:
            return None
        body = bytes(memoryview(self._received)[LENGTH.size : end])
        del self._received[:end]
        return body


class _TooLong(Exception):
    pass
