"""Logs: one form for everything that speaks, no secret in any of them, levels as asked."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap

import pytest

from tasks.logs import parse_levels

PROGRAM = textwrap.dedent(
    """
    import logging, sys, threading, warnings
    import tasks.logs
    from supervisor.logs.log import start_log
    import structlog
    from connectd.config import Password

    start_log(sys.argv[1], {"root": "INFO", "loud": "DEBUG"}, connector="c", task=0)
    log = structlog.get_logger("supervisor.x")
    log.info("hello %s", "world", password=Password("s3cret"), nested={"p": Password("s3cret")})
    log.info("odd", raw=b"\\xff", big=2**70, half="\\ud800")
    log.debug("unheard")
    structlog.get_logger("loud.one").debug("heard")
    logging.getLogger("librdkafka").warning("std %d", 3)
    warnings.warn("careful")
    try:
        1 / 0
    except ZeroDivisionError:
        log.exception("caught")
    thread = threading.Thread(target=lambda: [][1])
    thread.start()
    thread.join()
    print("rich" in sys.modules, file=sys.stdout)
    {}["end"]
    """
)


def lines(form: str) -> list[str]:
    done = subprocess.run([sys.executable, "-c", PROGRAM, form], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert done.stdout == "False\n"
    assert "s3cret" not in done.stderr
    return done.stderr.splitlines()


def test_json_lines_carry_connector_task_and_pid() -> None:
    events = [json.loads(line) for line in lines("json")]
    assert all((each["connector"], each["task"]) == ("c", 0) and each["pid"] != os.getpid() for each in events)
    assert [(each["level"], each["logger"], each["message"].split("\n")[0]) for each in events] == [
        ("info", "supervisor.x", "hello world"),
        ("info", "supervisor.x", "odd"),
        ("debug", "loud.one", "heard"),
        ("warning", "librdkafka", "std 3"),
        ("warning", "py.warnings", "<string>:15: UserWarning: careful"),
        ("error", "supervisor.x", "caught"),
        ("critical", "uncaught", "uncaught exception in thread Thread-1 (<lambda>)"),
        ("critical", "uncaught", "uncaught exception"),
    ]
    assert events[0]["password"] == "[hidden]"
    assert events[0]["nested"] == {"p": "[hidden]"}
    assert [each["exception"].splitlines()[-1] for each in events if "exception" in each] == [
        "ZeroDivisionError: division by zero",
        "IndexError: list index out of range",
        "KeyError: 'end'",
    ]
    assert list(events[0])[:4] == ["timestamp", "level", "logger", "message"]


def test_console_lines_are_for_people_and_without_colour_in_a_pipe() -> None:
    said = "\n".join(lines("console"))
    assert "hello world" in said
    assert "connector=c" in said
    assert "[hidden]" in said
    assert "ZeroDivisionError: division by zero" in said
    assert "unheard" not in said
    assert "\x1b" not in said


def test_levels_are_pythons_or_log4js() -> None:
    assert parse_levels(["warn", "supervisor.processes.pool=TRACE"]) == {
        "root": "WARN",
        "supervisor.processes.pool": "TRACE",
    }
    with pytest.raises(ValueError, match="a=LOUD: expected one of TRACE, DEBUG"):
        parse_levels(["a=LOUD"])
