"""Which worker settings count when; and log levels that follow a file."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from supervisor.configuration.live_settings import Effect, changes, effect_of, taken_over
from supervisor.log_levels import LogLevels
from supervisor.units.specs import TaskSpec, need_same_process
from tasks.messages import Order, SetLogLevels
from tasks.states import TargetState


@pytest.mark.parametrize(
    ("key", "effect"),
    [
        ("log.levels", Effect.AT_ONCE),
        ("task.restart.max", Effect.AT_ONCE),
        ("task.hang.timeout.ms", Effect.AT_ONCE),
        ("connectors.directory", Effect.AT_ONCE),
        ("task.memory.max", Effect.AT_ONCE),
        ("task.open.files.max", Effect.NEW_PROCESSES),
        ("offset.flush.interval.ms", Effect.NEW_PROCESSES),
        ("producer.linger.ms", Effect.NEW_PROCESSES),
        ("key.converter.schemas.enable", Effect.NEW_PROCESSES),
        ("config.providers.file.class", Effect.NEW_PROCESSES),
        ("admin.request.timeout.ms", Effect.NEW_PROCESSES),
        ("admin.listeners", Effect.WORKER_RESTART),
        ("admin.listeners.https.ssl.keystore.location", Effect.WORKER_RESTART),
        ("bootstrap.servers", Effect.WORKER_RESTART),
        ("offset.storage.file.filename", Effect.WORKER_RESTART),
        ("something.that.will.be.invented", Effect.WORKER_RESTART),
    ],
)
def test_effects(key: str, effect: Effect) -> None:
    assert effect_of(key) is effect


def test_what_needs_a_restart_stays_and_is_said_again_each_time() -> None:
    running = {"listeners": "a", "task.restart.max": "1", "producer.acks": "1", "rest.advertised.port": "1"}
    read = {"listeners": "b", "task.restart.max": "2", "producer.linger.ms": "1"}
    now = taken_over(running, read)
    assert now == {
        "listeners": "a",
        "rest.advertised.port": "1",
        "task.restart.max": "2",
        "producer.linger.ms": "1",
    }
    assert changes(running, read) == {
        Effect.AT_ONCE: ["task.restart.max"],
        Effect.NEW_PROCESSES: ["producer.acks", "producer.linger.ms"],
        Effect.WORKER_RESTART: ["listeners", "rest.advertised.port"],
    }
    assert changes(now, read) == {
        Effect.AT_ONCE: [],
        Effect.NEW_PROCESSES: [],
        Effect.WORKER_RESTART: ["listeners", "rest.advertised.port"],
    }


def test_rules_of_supervision_need_no_other_process() -> None:
    config = {"name": "c", "task.restart.max": "1"}
    other = {"name": "c", "task.hang.timeout.ms": "1"}
    assert need_same_process(config, other)
    assert not need_same_process(config, {"name": "c", "tasks.max": "2"})

    def spec(config: dict[str, str], task_config: dict[str, str], state: TargetState = TargetState.STARTED) -> TaskSpec:
        return TaskSpec(
            connector="c",
            task=0,
            task_class="T",
            task_config=task_config,
            connector_config=config,
            target_state=state,
        )

    assert spec(config, config).needs_same_process(spec(other, other, TargetState.PAUSED))
    assert not spec(config, {"file": "a"}).needs_same_process(spec(config, {"file": "b"}))


class Recorded:
    """Takes orders in the place of processes."""

    def __init__(self) -> None:
        self.levels: dict[str, str] = {}

    def send_to_all(self, order: Order) -> None:
        assert isinstance(order, SetLogLevels)
        self.levels |= order.levels


@pytest.fixture
def restored() -> Iterator[None]:
    names = (None, "x_follow", "x_follow.y", "x_follow.y.z")
    before = {name: logging.getLogger(name).level for name in names}
    yield
    for name, level in before.items():
        logging.getLogger(name).setLevel(level)


@pytest.mark.usefixtures("restored")
def test_log_levels_follow_a_file_and_keep_what_else_was_set() -> None:
    own: dict[str, str] = {}
    processes = Recorded()
    levels = LogLevels(own, processes)
    levels.set("x_follow.other", "TRACE")
    first = {"x_follow": "ERROR", "x_follow.y": "DEBUG"}
    levels.follow({}, first)
    assert own["x_follow"] == "ERROR"
    assert logging.getLogger("x_follow.y.z").getEffectiveLevel() == logging.DEBUG
    levels.set("x_follow.y.z", "WARN")
    levels.follow(first, first)
    assert logging.getLogger("x_follow.y.z").level == logging.WARNING
    second = {"x_follow": "ERROR"}
    levels.follow(first, second)
    assert logging.getLogger("x_follow.y.z").getEffectiveLevel() == logging.ERROR
    levels.follow(second, {"root": "CRITICAL"})
    assert logging.getLogger("x_follow").getEffectiveLevel() == logging.CRITICAL
    levels.follow({"root": "CRITICAL"}, {})
    assert logging.getLogger().level == logging.INFO
    assert processes.levels["root"] == own["root"] == "INFO"
