"""`python -m supervisor.embedded`: the same as `connectd kafka`."""

from __future__ import annotations

from .command import kafka

if __name__ == "__main__":
    kafka(prog_name="connectd kafka")
