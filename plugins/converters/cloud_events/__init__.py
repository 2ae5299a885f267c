"""CloudEventsConverter: change events as CloudEvents (Debezium's `io.debezium.converters.CloudEventsConverter`)."""

from plugins.converters.cloud_events.converter import CloudEventsConverter

__all__ = ["CloudEventsConverter"]
