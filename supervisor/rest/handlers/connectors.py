"""Connectors and their tasks: `/connectors` (`ConnectorsResource`)."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import TypeVar
from urllib.parse import quote

from connectd.errors import NotFoundException
from supervisor.herder.entities import Created
from supervisor.rest.answer import ACCEPTED, NO_CONTENT, Answer
from supervisor.rest.api import Call
from supervisor.rest.entities import CreateConnectorRequest, Expanded, InitialState
from supervisor.rest.errors import RestException, plain
from supervisor.rest.masking import masked_config, masked_info, masked_tasks
from tasks.states import TargetState

T = TypeVar("T")

NAME = "name"
STATUS, INFO = "status", "info"

_TARGET_STATES = {
    InitialState.RUNNING: TargetState.STARTED,
    InitialState.PAUSED: TargetState.PAUSED,
    InitialState.STOPPED: TargetState.STOPPED,
}
_MAX_INT = 2**31
# What Java's String.trim takes off.
_TRIMMED = "".join(map(chr, range(0x21)))
# What a segment of a path may hold unescaped, beside letters, digits and "-._~" (RFC 3986).
_SEGMENT = "!$&'()*+,;=:@"


async def list_connectors(call: Call) -> Answer:
    names = call.api.herder.connectors()
    if "expand" not in call.query:
        return Answer(names)
    expansions = set(call.query.getall("expand"))
    if expansions == {STATUS}:
        states = [state for name in names if (state := _unless_deleted(call.api.herder.status, name)) is not None]
        return Answer(call.api.encoded.all(states))
    return Answer({name: expanded for name in names if (expanded := _expanded(call, name, expansions)) is not None})


def _expanded(call: Call, name: str, expansions: set[str]) -> Expanded | None:
    status = _unless_deleted(call.api.herder.status, name)
    info = _unless_deleted(call.api.herder.info, name)
    if status is None or info is None:
        return None
    return Expanded(
        status=status if STATUS in expansions else None, info=masked_info(call, info) if INFO in expansions else None
    )


def _unless_deleted(look: Callable[[str], T], name: str) -> T | None:
    """None for a connector that was deleted meanwhile."""
    try:
        return look(name)
    except NotFoundException:
        return None


async def create_connector(call: Call) -> Answer:
    request: CreateConnectorRequest = call.body
    if request.config is None:
        raise RestException(HTTPStatus.BAD_REQUEST, "config is missing: the configuration of the connector")
    name = (request.name or "").strip(_TRIMMED)
    created = await call.api.herder.submit(
        _with_name(name, request.config),
        None if request.initial_state is None else _TARGET_STATES[request.initial_state],
        replace=False,
    )
    return _created(call, created)


async def get_connector(call: Call) -> Answer:
    await call.api.herder.catch_up()
    return Answer(masked_info(call, call.api.herder.info(call.connector)))


async def get_connector_config(call: Call) -> Answer:
    await call.api.herder.catch_up()
    return Answer(masked_config(call, call.api.herder.info(call.connector).config))


async def put_connector_config(call: Call) -> Answer:
    return _created(call, await call.api.herder.submit(_with_name(call.connector, call.body)))


async def patch_connector_config(call: Call) -> Answer:
    patch: dict[str, str | None] = call.body
    if NAME in patch:
        _with_name(call.connector, {NAME: patch[NAME] or ""})
    return Answer(masked_info(call, await call.api.herder.patch(call.connector, patch)))


async def get_connector_status(call: Call) -> Answer:
    return Answer(call.api.herder.status(call.connector))


async def destroy_connector(call: Call) -> Answer:
    await call.api.herder.remove(call.connector)
    return NO_CONTENT


async def pause_connector(call: Call) -> Answer:
    await call.api.herder.set_target_state(call.connector, TargetState.PAUSED)
    return ACCEPTED


async def resume_connector(call: Call) -> Answer:
    await call.api.herder.set_target_state(call.connector, TargetState.STARTED)
    return ACCEPTED


async def stop_connector(call: Call) -> Answer:
    await call.api.herder.set_target_state(call.connector, TargetState.STOPPED)
    return NO_CONTENT


async def restart_connector(call: Call) -> Answer:
    include_tasks, only_failed = call.flag("includeTasks"), call.flag("onlyFailed")
    state = await call.api.herder.restart(call.connector, include_tasks=include_tasks, only_failed=only_failed)
    if not include_tasks and not only_failed:  # as before KIP-745
        return NO_CONTENT
    return Answer(state, HTTPStatus.ACCEPTED)


async def get_task_configs(call: Call) -> Answer:
    await call.api.herder.catch_up()
    return Answer(masked_tasks(call, call.api.herder.task_configs(call.connector)))


async def get_task_status(call: Call) -> Answer:
    return Answer(call.api.herder.task_status(call.connector, task_number(call)))


async def restart_task(call: Call) -> Answer:
    await call.api.herder.restart_task(call.connector, task_number(call))
    return NO_CONTENT


async def put_task_configs(call: Call) -> Answer:
    call.api.herder.require_signed(call.signature)
    await call.api.herder.put_task_configs(call.connector, call.body)
    return NO_CONTENT


async def fence_zombies(call: Call) -> Answer:
    call.api.herder.require_signed(call.signature)
    await call.api.herder.fence_zombies(call.connector)
    return NO_CONTENT


def _created(call: Call, created: Created) -> Answer:
    info = masked_info(call, created.info)
    if not created.created:
        return Answer(info)
    location = f"{call.base_url}/connectors/{quote(created.info.name, safe=_SEGMENT)}"
    return Answer(info, HTTPStatus.CREATED, {"Location": location})


def _with_name(name: str, config: dict[str, str | None]) -> dict[str, str | None]:
    included = config.get(NAME)
    if included is not None and included != name:
        raise RestException(
            HTTPStatus.BAD_REQUEST,
            f"Connector name configuration ({included}) doesn't match connector name in the URL ({name})",
        )
    return {**config, NAME: name}


def task_number(call: Call) -> int:
    """The task that the path names. Raises RestException with status 404 for what is no number, as JAX-RS does."""
    text = call.params["task"]
    digits = text[1:] if text[:1] in ("+", "-") else text
    if not digits.isdecimal() or len(digits) > 10 or not -_MAX_INT <= int(text) < _MAX_INT:
        raise plain(HTTPStatus.NOT_FOUND)
    return int(text)
