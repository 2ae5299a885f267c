"""What reloads count, and a connector that is busy when its file goes."""

from __future__ import annotations

from pathlib import Path

import pytest

from supervisor.configuration.connector_files import ConnectorFiles
from supervisor.herder.errors import OperationInProgress
from supervisor.herder.standalone import StandaloneHerder
from supervisor.processes.pool import ProcessPool
from supervisor.storage.offset_file import OffsetFile, OffsetStore
from supervisor.units.counts import ReloadResult
from supervisor.units.lifecycle import Statuses
from supervisor.units.unit import Surroundings
from tasks.messages import LogSettings
from tests.support.standin_worker import connector


async def test_what_was_done_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "d").mkdir()
    pool = ProcessPool("tests.support.standin:main")
    pool.start()
    offsets = OffsetStore(OffsetFile(tmp_path / "offsets"))
    surroundings = Surroundings(
        pool=pool,
        statuses=Statuses(),
        worker_config={},
        log=LogSettings(levels={}),
        graceful_stop_s=5,
    )
    herder = StandaloneHerder(surroundings, offsets)
    files = ConnectorFiles(herder)
    try:
        await files.start([])
        for name in ("a", "b", "c"):
            connector(tmp_path / "d", name)
        await files.reload([], str(tmp_path / "d"))
        assert surroundings.counts.reloads == {ReloadResult.APPLIED: 3}
        connector(tmp_path / "d", "a", wrong_key="x", task_restart_max="many")
        connector(tmp_path / "d", "b", tasks="2")
        (tmp_path / "d" / "c.properties").unlink()

        async def busy(name: str) -> None:
            raise OperationInProgress(f"{name} is busy")

        with monkeypatch.context() as patch:
            patch.setattr(herder, "remove", busy)
            await files.reload([], str(tmp_path / "d"))
        assert surroundings.counts.reloads == {ReloadResult.APPLIED: 4, ReloadResult.REJECTED: 2}
        assert set(files.sources) == {"a", "b", "c"}
        await files.reload([], str(tmp_path / "d"))
        assert surroundings.counts.reloads == {
            ReloadResult.APPLIED: 4,
            ReloadResult.REJECTED: 3,
            ReloadResult.REMOVED: 1,
        }
        assert set(files.sources) == set(herder.connectors()) == {"a", "b"}
    finally:
        await herder.stop()
        await pool.close()
