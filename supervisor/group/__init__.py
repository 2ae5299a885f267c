"""Membership in the group of Connect workers, and who runs which connectors and tasks (KIP-415, KIP-507)."""

from supervisor.group.assignment import Assignment, AssignmentError, Configured, WorkerState
from supervisor.group.grants import Grant, decode_grant, encode_grant, worker_id_of
from supervisor.group.listener import GroupListener
from supervisor.group.member import GroupMember
from supervisor.group.settings import GroupSettings

__all__ = [
    "Assignment",
    "AssignmentError",
    "Configured",
    "Grant",
    "GroupListener",
    "GroupMember",
    "GroupSettings",
    "WorkerState",
    "decode_grant",
    "encode_grant",
    "worker_id_of",
]
