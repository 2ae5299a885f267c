"""The admin client of all storage topics: one for all, until it is of no use any more."""

from __future__ import annotations

from supervisor.storage.shared_admin import shared_admin
from tasks.clients.storage import storage_admin_settings
from tasks.settings.distributed import DistributedConfig
from tests.support.storage import worker_props


def test_all_with_the_same_settings_have_the_same_client() -> None:
    settings = [storage_admin_settings(DistributedConfig(worker_props("one", "localhost:1"))) for _ in range(2)]
    another = storage_admin_settings(DistributedConfig(worker_props("another", "localhost:1")))
    first, second = map(shared_admin, settings)
    assert first is second
    assert shared_admin(another) is not first


def test_who_cannot_use_it_any_more_gets_a_new_one_that_the_others_get_after_that() -> None:
    settings = storage_admin_settings(DistributedConfig(worker_props("one", "localhost:1")))
    of_no_use = shared_admin(settings)
    new = shared_admin(settings, instead_of=of_no_use)
    assert new is not of_no_use
    assert shared_admin(settings, instead_of=of_no_use) is new
    assert shared_admin(settings) is new
