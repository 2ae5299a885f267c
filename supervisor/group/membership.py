"""The life of a membership on kafka-python's network thread: connect, join, stay, and join again whenever that is needed."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Final

import structlog
from kafka import errors as kafka_errors
from kafka.net.compat import KafkaNetClient
from kafka.net.wakeup_notifier import WakeupNotifier

from connectd.errors import ConnectException
from supervisor.group.assignment import Configured
from supervisor.group.bridge import Bridge
from supervisor.group.coordinator import WorkerCoordinator
from supervisor.group.grants import Grant, Grants
from supervisor.group.listener import GroupListener
from supervisor.group.session import Session
from supervisor.group.settings import GroupSettings
from supervisor.group.standing import Standing
from supervisor.group.storage_topics import OtherStorageTopics

log = structlog.get_logger(__name__)

_TICK_S: Final = 0.25
# A tick that comes so much later means that the whole process stood still.
_PAUSE_S: Final = 1.0
_JOIN_SLICE_MS: Final = 1000
_PATIENCE_MS: Final = 10_000
_CLOSE_TIMEOUT_S: Final = 10.0
# What it says of every connection that fails is said once by this package.
_NOISY: Final = ("kafka.net", "kafka.net.connection", "kafka.cluster", "kafka.coordinator")


class Membership:
    """Owns the Kafka client and its thread. Created and closed by any thread but the network's own and the event loop's,
    since both take a while; in between everything happens on the network thread."""

    def __init__(
        self,
        settings: GroupSettings,
        configured: Callable[[], Configured],
        listener: GroupListener,
        session: Session,
        grants: Grants,
        publish: Callable[[Standing], None],
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        for name in _NOISY:
            logging.getLogger(name).setLevel(logging.CRITICAL)
        self._settings = settings
        self._configured = configured
        self._listener = listener
        self._session = session
        self._grants = grants
        self._publish = publish
        self._client = KafkaNetClient(**{**settings.client, "client_id": settings.client_id})
        self._net = self._client._net
        self._manager = self._client._manager
        self._bridge = Bridge(loop, self._net)
        self._wakeup = WakeupNotifier(self._net)
        self._coordinator: WorkerCoordinator | None = None
        self._absence: tuple[float, str] | None = None
        self._closing = False
        self._net.start()
        self._manager.call_soon(self._live)

    # --- from other threads -------------------------------------------------------------------------------------------

    def request_rejoin(self, reason: str) -> None:
        """Have a new round."""
        self._soon(lambda: self._request_rejoin(reason))

    def take(self, grant: Grant) -> None:
        """Have this worker run what it was granted."""
        self._soon(lambda: self._take(grant))

    def expect_round(self) -> None:
        """Ask the coordinator often for a moment."""
        self._soon(self._expect_round)

    def leave_for(self, seconds: float, reason: str) -> None:
        """Leave, and join again when the time is over."""
        self._soon(lambda: self._request_absence(seconds, reason))

    def close(self) -> None:
        """Leave the group, unless as a static member, and end the thread."""
        try:
            self._net.run(self._leave)
        except kafka_errors.KafkaError as error:
            log.info(f"the worker could not leave its group: {error}")
        self._net.stop(timeout_ms=_CLOSE_TIMEOUT_S * 1000)
        self._net.close()

    def _soon(self, action: Callable[[], None]) -> None:
        try:
            self._net.call_soon_threadsafe(action)
        except RuntimeError:  # it is closed
            return

    # --- on the network thread ----------------------------------------------------------------------------------------

    def _request_rejoin(self, reason: str) -> None:
        if self._coordinator is not None:
            self._coordinator.ask_to_rejoin(reason)
            self._wakeup._wakeup()

    def _take(self, grant: Grant) -> None:
        if self._coordinator is not None:
            self._coordinator.take(grant)

    def _expect_round(self) -> None:
        if self._coordinator is not None:
            self._coordinator.expect_round()

    def _request_absence(self, seconds: float, reason: str) -> None:
        self._absence = seconds, reason
        self._wakeup._wakeup()

    async def _live(self) -> None:
        try:
            await self._bootstrap()
            self._coordinator = WorkerCoordinator(
                self._client,
                self._settings,
                self._configured,
                self._listener,
                self._bridge,
                self._session,
                self._grants,
                self._publish,
            )
            self._manager.call_soon(self._watch, self._coordinator)
            while not self._closing:
                await self._step(self._coordinator)
        except Exception as error:
            if not self._closing:
                await self._fail(error)

    async def _bootstrap(self) -> None:
        """Returns when Kafka has answered."""
        while True:
            try:
                await self._manager.bootstrap_async(timeout_ms=_PATIENCE_MS)
                return
            except kafka_errors.KafkaTimeoutError:
                if self._closing:
                    raise
                servers = self._settings.client["bootstrap_servers"]
                log.warning(
                    f"the worker cannot join its group: Kafka ({servers}) does not answer, or refuses its credentials"
                )

    async def _step(self, coordinator: WorkerCoordinator) -> None:
        if coordinator.fatal is not None:
            raise coordinator.fatal
        if self._absence is not None:
            await self._stay_away(coordinator, *self._absence)
        if coordinator.rejoin_at is not None and time.monotonic() >= coordinator.rejoin_at:
            coordinator.rejoin_at = None
            coordinator.ask_to_rejoin("the delay that the leader has scheduled is over")
        if coordinator.need_rejoin():
            await self._join(coordinator)
        self._keep_heartbeats(coordinator)
        if not coordinator.need_rejoin():
            due = coordinator.rejoin_at
            await self._wakeup(_TICK_S if due is None else max(0.0, min(_TICK_S, due - time.monotonic())))
        elif coordinator.was_refused:
            await self._net.sleep(self._settings.client["retry_backoff_ms"] / 1000)

    async def _join(self, coordinator: WorkerCoordinator) -> None:
        try:
            await coordinator.ensure_active_group_async(timeout_ms=_JOIN_SLICE_MS)
        except kafka_errors.KafkaError as error:
            if not isinstance(error, kafka_errors.RetriableError):
                raise
            log.info(f"joining the group failed, the worker tries again: {error!r}")
            await self._net.sleep(self._settings.client["retry_backoff_ms"] / 1000)

    def _keep_heartbeats(self, coordinator: WorkerCoordinator) -> None:
        """Heartbeats that have ended with an error begin again with the next round."""
        try:
            coordinator.poll_heartbeat()
        except Exception as error:
            log.warning(f"heartbeats to the group have failed: {error!r}")
            coordinator.ask_to_rejoin("heartbeats have failed")

    async def _stay_away(self, coordinator: WorkerCoordinator, seconds: float, reason: str) -> None:
        self._absence = None
        log.warning(f"the worker leaves its group for {seconds:g} s: {reason}")
        await coordinator.leave(reason, even_if_static=True)
        back_at = time.monotonic() + seconds
        while not self._closing and (remaining := back_at - time.monotonic()) > 0:
            await self._wakeup(remaining)
        coordinator.ask_to_rejoin("the worker is back")

    async def _watch(self, coordinator: WorkerCoordinator) -> None:
        """Beside everything else: the session, and whether the event loop and the herder still answer."""
        last_tick = last_probe = time.monotonic()
        while not self._closing:
            await self._net.sleep(_TICK_S)
            now = time.monotonic()
            pause, last_tick = now - last_tick - _TICK_S, now
            if pause > _PAUSE_S:
                self._bridge.forgive(pause)
            self._bridge.ping()
            coordinator.heartbeat.poll()
            coordinator.check_session(was_paused=pause > _PAUSE_S)
            if self._bridge.silent_for_s * 1000 > self._settings.rebalance_timeout_ms:
                await coordinator.expel()
            if now - last_probe > self._settings.heartbeat_interval_ms / 1000:
                last_probe = now
                self._manager.call_soon(coordinator.probe)

    async def _fail(self, error: Exception) -> None:
        self._closing = True
        if not isinstance(error, (kafka_errors.KafkaError, OtherStorageTopics)):
            log.exception("group membership has failed", exc_info=error)
        if self._coordinator is not None:
            await self._coordinator.leave("the worker has failed", even_if_static=isinstance(error, OtherStorageTopics))
        await self._bridge.call(self._listener.on_failed, self._told(error))

    def _told(self, error: Exception) -> ConnectException:
        if isinstance(error, OtherStorageTopics):
            return error
        told = ConnectException(f"group {self._settings.group_id} will not have this worker: {_explained(error)}")
        told.__cause__ = error
        return told

    async def _leave(self) -> None:
        self._closing = True
        self._wakeup._wakeup()
        if self._coordinator is not None:
            self._coordinator._close_heartbeat()
            await self._coordinator.leave("the worker stops", even_if_static=False)
        self._manager.close()


def _explained(error: Exception) -> str:
    if isinstance(error, kafka_errors.FencedInstanceIdError):
        return "another worker has joined with the same group.instance.id"
    if isinstance(error, kafka_errors.InconsistentGroupProtocolError):
        return "its members are no Connect workers, or share no connect.protocol with this one"
    if isinstance(error, kafka_errors.InvalidSessionTimeoutError):
        return "the broker does not allow this session.timeout.ms (group.min.session.timeout.ms, group.max.session.timeout.ms)"
    return f"{type(error).__name__}: {error}"
