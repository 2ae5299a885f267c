"""Offset files as Java writes them, byte for byte; `tests/peer` compares them with Java's own."""

from __future__ import annotations

_HEAD = (
    "aced0005737200116a6176612e7574696c2e486173684d61700507dac1c31660d103000246000a6c6f6164466163746f724900097468726573"
    "686f6c647870"
)
_ARRAY_CLASS = "7200025b42acf317f8060854e00200007870"

EMPTY = bytes.fromhex(f"{_HEAD} 3f400000 00000000 77080000001000000000 78")
# {"k": "v"}
ONE = bytes.fromhex(
    f"{_HEAD} 3f400000 0000000c 77080000001000000001 75{_ARRAY_CLASS} 00000001 6b 7571007e0002 00000001 76 78"
)
# {"k": "k"}, one array being both key and value.
TWICE = bytes.fromhex(f"{_HEAD} 3f400000 0000000c 77080000001000000001 75{_ARRAY_CLASS} 00000001 6b 71007e0003 78")
