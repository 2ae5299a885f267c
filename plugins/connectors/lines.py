"""Splits a stream of bytes into lines of text, block by block, and knows at which byte each line ends."""

from __future__ import annotations

import codecs
import re
from itertools import islice
from typing import Final

# How Java decodes bytes that are no UTF-8: see `_replace_as_java`.
_AS_JAVA: Final = "connectd-replace-as-java"
_ENCODED_SURROGATE: Final = re.compile(rb"\xed[\xa0-\xbf][\x80-\xbf]?")
_REPLACEMENT: Final = "\N{REPLACEMENT CHARACTER}"


class LineBlock:
    """Some consecutive lines, decoded, without their ends. `start` is the byte position of the first one in the stream.

    Byte positions are counted when they are asked for only, and cheapest in ascending order.
    """

    __slots__ = ("_byte_lengths", "_counted_bytes", "_counted_lines", "lines", "start")

    def __init__(self, start: int, lines: list[str], byte_lengths: list[int] | None = None) -> None:
        """`byte_lengths`: of each line with its end. None says that every line is UTF-8 and ends with one byte."""
        self.start = start
        self.lines = lines
        self._byte_lengths = byte_lengths
        self._counted_lines = 0
        self._counted_bytes = 0

    def position_after(self, index: int) -> int:
        """The byte position in the stream just behind line `index`, its end included."""
        count = index + 1
        if count < self._counted_lines:
            self._counted_lines = self._counted_bytes = 0
        if self._byte_lengths is None:
            text = "".join(self.lines[self._counted_lines : count])
            self._counted_bytes += len(text.encode()) + count - self._counted_lines
        else:
            self._counted_bytes += sum(islice(self._byte_lengths, self._counted_lines, count))
        self._counted_lines = count
        return self.start + self._counted_bytes


class LineSplitter:
    r"""Takes chunks of bytes and gives out the lines that they complete. A line ends with \n, \r or \r\n.

    What follows the last line's end is held back until its end arrives, and so is a line that ends with the \r at the
    end of a chunk, because a \n may follow.
    """

    def __init__(self, position: int = 0) -> None:
        """`position` is that of the first byte that will be fed."""
        self._position = position
        self._unfinished = bytearray()

    @property
    def unfinished_bytes(self) -> int:
        """How many bytes are held back."""
        return len(self._unfinished)

    def feed(self, chunk: bytes) -> LineBlock | None:
        """The lines that are complete now, None if there is none. `chunk` must not be empty."""
        complete = self._complete(chunk)
        if not complete:
            return None
        start = self._position
        self._position += len(complete)
        return _split(start, complete)

    def _complete(self, chunk: bytes) -> bytes:
        """All bytes up to the last line end; the rest is held back."""
        unfinished = self._unfinished
        end = chunk.rfind(b"\n") + 1
        end = max(end, chunk.rfind(b"\r", end, len(chunk) - 1) + 1)
        if end:
            complete = bytes(unfinished) + chunk[:end] if unfinished else chunk[:end]
            self._unfinished = bytearray(memoryview(chunk)[end:])
            return complete
        if unfinished.endswith(b"\r"):
            self._unfinished = bytearray(chunk)
            return bytes(unfinished)
        # Appending in place keeps a line of many chunks linear in its length.
        unfinished += chunk
        return b""


def _split(start: int, block: bytes) -> LineBlock:
    """Split bytes that end with a line end: the usual kind of text in one go, anything else line by line."""
    if b"\r" not in block:
        try:
            lines = block.decode().split("\n")
        except UnicodeDecodeError:
            pass
        else:
            lines.pop()  # what follows the last line end: nothing
            return LineBlock(start, lines)
    raw_lines = block.splitlines(keepends=True)
    lines = [line.rstrip(b"\r\n").decode("utf-8", _AS_JAVA) for line in raw_lines]
    return LineBlock(start, lines, list(map(len, raw_lines)))


def _replace_as_java(error: UnicodeError) -> tuple[str, int]:
    """One U+FFFD for each maximal malformed part, as Python has it; an encoded surrogate, also half of one, is one part."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    surrogate = _ENCODED_SURROGATE.match(error.object, error.start)
    return _REPLACEMENT, surrogate.end() if surrogate else error.end


codecs.register_error(_AS_JAVA, _replace_as_java)
