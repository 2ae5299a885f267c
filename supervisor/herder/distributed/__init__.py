"""The herder of a worker in a cluster: configuration log and assignment, the difference to what runs, orders to the pool."""

from supervisor.herder.distributed.cluster_worker import ClusterWorker
from supervisor.herder.distributed.files import ClusterFiles
from supervisor.herder.distributed.herder import DistributedHerder

__all__ = ["ClusterFiles", "ClusterWorker", "DistributedHerder"]
