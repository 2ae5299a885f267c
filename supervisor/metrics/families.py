"""Every metric with its name, type and meaning.

Names of Kafka's are those that its JMX exporter gives with Strimzi's rules; attributes are Kafka's ConnectMetricsRegistry's.
"""

from __future__ import annotations

from typing import Final

from supervisor.metrics.text import Family

# --- Kafka's: of tasks ------------------------------------------------------------------------------------------------

TASK_STATUS: Final = Family(
    "kafka_connect_connector_task_status",
    "gauge",
    "The state of a task, in lower case; only the series of the current state exists",
)

TASKS: Final = (
    Family("kafka_connect_connector_task_running_ratio", "gauge", "The part of its life that it ran", "running-ratio"),
    Family("kafka_connect_connector_task_pause_ratio", "gauge", "The part of its life that it paused", "pause-ratio"),
    Family(
        "kafka_connect_connector_task_offset_commit_max_time_ms",
        "gauge",
        "The longest commit of offsets within a minute, in ms",
        "offset-commit-max-time-ms",
    ),
    Family(
        "kafka_connect_connector_task_offset_commit_avg_time_ms",
        "gauge",
        "The average commit of offsets within a minute, in ms",
        "offset-commit-avg-time-ms",
    ),
    Family(
        "kafka_connect_connector_task_batch_size_max",
        "gauge",
        "Records in the largest batch within a minute",
        "batch-size-max",
    ),
    Family(
        "kafka_connect_connector_task_batch_size_avg", "gauge", "Records a batch, within a minute", "batch-size-avg"
    ),
    Family(
        "kafka_connect_source_task_source_record_poll_rate",
        "gauge",
        "Records a second that the source returned, before transformations",
        "source-record-poll-rate",
    ),
    Family(
        "kafka_connect_source_task_source_record_poll_total",
        "counter",
        "Records that the source returned, before transformations",
        "source-record-poll-total",
    ),
    Family(
        "kafka_connect_source_task_source_record_write_rate",
        "gauge",
        "Records a second that were written to Kafka",
        "source-record-write-rate",
    ),
    Family(
        "kafka_connect_source_task_source_record_write_total",
        "counter",
        "Records that were written to Kafka",
        "source-record-write-total",
    ),
    Family(
        "kafka_connect_source_task_poll_batch_max_time_ms",
        "gauge",
        "The longest poll that returned records within a minute, in ms",
        "poll-batch-max-time-ms",
    ),
    Family(
        "kafka_connect_source_task_poll_batch_avg_time_ms",
        "gauge",
        "The average poll that returned records within a minute, in ms",
        "poll-batch-avg-time-ms",
    ),
    Family(
        "kafka_connect_source_task_source_record_active_count",
        "gauge",
        "Records that were read and are not acknowledged by Kafka yet",
        "source-record-active-count",
    ),
    Family(
        "kafka_connect_source_task_transaction_size_max",
        "gauge",
        "Records in the largest transaction",
        "transaction-size-max",
    ),
    Family("kafka_connect_source_task_transaction_size_avg", "gauge", "Records a transaction", "transaction-size-avg"),
    Family(
        "kafka_connect_sink_task_sink_record_read_rate",
        "gauge",
        "Records a second that were read from Kafka, before transformations",
        "sink-record-read-rate",
    ),
    Family(
        "kafka_connect_sink_task_sink_record_read_total",
        "counter",
        "Records that were read from Kafka, before transformations",
        "sink-record-read-total",
    ),
    Family(
        "kafka_connect_sink_task_sink_record_send_rate",
        "gauge",
        "Records a second that the sink took",
        "sink-record-send-rate",
    ),
    Family(
        "kafka_connect_sink_task_sink_record_send_total",
        "counter",
        "Records that the sink took",
        "sink-record-send-total",
    ),
    Family("kafka_connect_sink_task_partition_count", "gauge", "Partitions assigned to the task", "partition-count"),
    Family(
        "kafka_connect_sink_task_offset_commit_seq_no", "gauge", "The number of the last commit", "offset-commit-seq-no"
    ),
    Family(
        "kafka_connect_sink_task_offset_commit_completion_rate",
        "gauge",
        "Commits of offsets a second that succeeded",
        "offset-commit-completion-rate",
    ),
    Family(
        "kafka_connect_sink_task_offset_commit_completion_total",
        "counter",
        "Commits of offsets that succeeded",
        "offset-commit-completion-total",
    ),
    Family(
        "kafka_connect_sink_task_offset_commit_skip_rate",
        "gauge",
        "Commits of offsets a second that came too late to count",
        "offset-commit-skip-rate",
    ),
    Family(
        "kafka_connect_sink_task_offset_commit_skip_total",
        "counter",
        "Commits of offsets that came too late to count",
        "offset-commit-skip-total",
    ),
    Family(
        "kafka_connect_sink_task_put_batch_max_time_ms",
        "gauge",
        "The longest put within a minute, in ms",
        "put-batch-max-time-ms",
    ),
    Family(
        "kafka_connect_sink_task_put_batch_avg_time_ms",
        "gauge",
        "The average put within a minute, in ms",
        "put-batch-avg-time-ms",
    ),
    Family(
        "kafka_connect_sink_task_sink_record_active_count",
        "gauge",
        "Records that were read and whose offsets are not committed yet",
        "sink-record-active-count",
    ),
    Family("kafka_connect_task_error_total_record_failures", "gauge", "Failures of records", "total-record-failures"),
    Family(
        "kafka_connect_task_error_total_record_errors", "gauge", "Records that failed for good", "total-record-errors"
    ),
    Family(
        "kafka_connect_task_error_total_records_skipped",
        "gauge",
        "Records left out after errors",
        "total-records-skipped",
    ),
    Family("kafka_connect_task_error_total_retries", "gauge", "Operations that were tried again", "total-retries"),
    Family("kafka_connect_task_error_total_errors_logged", "gauge", "Errors that were logged", "total-errors-logged"),
    Family(
        "kafka_connect_task_error_deadletterqueue_produce_requests",
        "gauge",
        "Records sent to the dead letter queue",
        "deadletterqueue-produce-requests",
    ),
    Family(
        "kafka_connect_task_error_deadletterqueue_produce_failures",
        "gauge",
        "Records that did not get into the dead letter queue",
        "deadletterqueue-produce-failures",
    ),
    Family(
        "kafka_connect_task_error_last_error_timestamp",
        "gauge",
        "When a record failed last, in ms since the epoch",
        "last-error-timestamp",
    ),
)

# --- Kafka's: of connectors and the worker ----------------------------------------------------------------------------

CONNECTOR_STATUS: Final = Family(
    "kafka_connect_connector_status",
    "gauge",
    "The state of a connector, in lower case; only the series of the current state exists",
)
CONNECTOR_TYPE: Final = Family("kafka_connect_connector_connector_type", "gauge", "Whether it is a source or a sink")
CONNECTOR_CLASS: Final = Family("kafka_connect_connector_connector_class", "gauge", "The class of a connector")
CONNECTOR_VERSION: Final = Family(
    "kafka_connect_connector_connector_version", "gauge", "The version of a connector's class"
)

CONNECTOR_COUNT: Final = Family("kafka_connect_worker_connector_count", "gauge", "Connectors of this worker")
TASK_COUNT: Final = Family("kafka_connect_worker_task_count", "gauge", "Tasks of this worker")
CONNECTOR_TASK_COUNT: Final = Family(
    "kafka_connect_worker_connector_total_task_count", "gauge", "Tasks of a connector on this worker"
)


def task_count_in(state: str) -> Family:
    """Tasks of a connector in one state."""
    return Family(
        f"kafka_connect_worker_connector_{state}_task_count",
        "gauge",
        f"Tasks of a connector on this worker that are {state}",
    )


def startups(what: str, outcome: str) -> Family:
    """`outcome` of the start of connectors or tasks: attempts, success or failure."""
    return Family(
        f"kafka_connect_worker_{what}_startup_{outcome}_total",
        "counter",
        f"Starts of a {what}: {outcome}",
    )


def startup_percentage(what: str, outcome: str) -> Family:
    """The part of all starts with this outcome."""
    return Family(
        f"kafka_connect_worker_{what}_startup_{outcome}_percentage",
        "gauge",
        f"The part of the starts of a {what} that ended in {outcome}, from 0 to 1",
    )


# --- Kafka's: of the clients ------------------------------------------------------------------------------------------

CLIENTS: Final = (
    Family("kafka_producer_connection_count", "gauge", "Connections of a producer", "producer-connection-count"),
    Family(
        "kafka_producer_outgoing_byte_total", "counter", "Bytes that a producer sent", "producer-outgoing-byte-total"
    ),
    Family("kafka_consumer_connection_count", "gauge", "Connections of a consumer", "consumer-connection-count"),
    Family(
        "kafka_consumer_incoming_byte_total",
        "counter",
        "Bytes that a consumer received",
        "consumer-incoming-byte-total",
    ),
    Family(
        "kafka_admin_client_connection_count",
        "gauge",
        "Connections of the client with which a source creates topics",
        "adminclient-connection-count",
    ),
)
SINK_LAG_MAX: Final = Family(
    "kafka_connect_sink_task_sink_record_lag_max",
    "gauge",
    "Records that the sink is behind the end of the partition that it is furthest behind in",
)
CONSUMER_LAG: Final = Family(
    "kafka_consumer_fetch_manager_records_lag", "gauge", "Records that a consumer is behind the end of a partition"
)

# --- ours -------------------------------------------------------------------------------------------------------------

UNITS: Final = (
    Family(
        "connectd_process_cpu_seconds_total",
        "counter",
        "Processor time of a task's processes, or of a connector's where there is no task",
        "process-cpu-seconds-total",
    ),
    Family("connectd_process_resident_memory_bytes", "gauge", "Memory of the process", "process-resident-memory-bytes"),
    Family("connectd_process_open_fds", "gauge", "Open file descriptors of the process", "process-open-fds"),
)
HEARTBEAT_AGE: Final = Family(
    "connectd_heartbeat_age_seconds", "gauge", "Time since the last sign of life of the process of a connector or task"
)
STALLED: Final = Family("connectd_stalled", "gauge", "Connectors and tasks that are in a call beyond its limit")
FAILURES: Final = Family(
    "connectd_failures_total", "counter", "Ends of connectors and tasks that nobody asked for, by cause"
)
RESTARTS: Final = Family("connectd_restarts_total", "counter", "Restarts after failures, by cause")
HANGS: Final = Family("connectd_hangs_total", "counter", "Calls that went on beyond their limit, by call")
RELOADS: Final = Family(
    "connectd_reloads_total", "counter", "Connector files that a reload applied, removed or rejected"
)
PROCESSES: Final = Family("connectd_processes", "gauge", "Processes of this worker, by what they are for")
READY: Final = Family("connectd_ready", "gauge", "Whether the worker has started")
INFO: Final = Family("connectd_info", "gauge", "The version of connectd, and of Kafka Connect that it behaves as")
SINK_LAG: Final = Family(
    "connectd_sink_lag_records", "gauge", "Records between what the sink has taken and the end of the partition"
)
SINK_LAG_S: Final = Family(
    "connectd_sink_lag_seconds", "gauge", "How long ago the end of the partition was where the sink is now: an estimate"
)
SOURCE_LAG: Final = Family("connectd_source_lag", "gauge", "How far a source is behind, in the unit that it can tell")
