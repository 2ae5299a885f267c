package connectd.host;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.connect.runtime.TargetState;
import org.apache.kafka.connect.runtime.TaskStatus;
import org.apache.kafka.connect.storage.ClusterConfigState;
import org.apache.kafka.connect.util.ConnectorTaskId;

/** Runs one task. */
final class TaskWork implements Host.Work, TaskStatus.Listener {
    private final Wire wire;
    private final Offsets offsets;
    private final JsonNode first;
    private final ConnectorTaskId id;
    private final Connect connect;

    TaskWork(Wire wire, Offsets offsets, JsonNode first) {
        this.wire = wire;
        this.offsets = offsets;
        this.first = first;
        id = new ConnectorTaskId(first.get("connector").asText(), first.get("task").asInt());
        connect = new Connect(wire, offsets, first);
    }

    @Override
    public void begin() {
        connect.worker.start();
        Map<String, String> config = Wire.texts(first.get("config"));
        Map<String, String> taskConfig = Wire.texts(first.get("task_config"));
        TargetState state = TargetState.valueOf(first.get("state").asText());
        boolean sink = connect.plugins.sinkConnectors().stream().anyMatch(each -> each.className().equals(first.get("class").asText()));
        ClusterConfigState known = new ClusterConfigState(
                0, null, Map.of(id.connector(), 1), Map.of(id.connector(), config), Map.of(id.connector(), state),
                Map.of(id, taskConfig), Map.of(), Map.of(), Map.of(), Set.of(), Set.of());
        new Beats(wire, connect, sink ? "put" : "poll").start();
        if (sink) {
            connect.worker.startSinkTask(id, known, config, taskConfig, this, state);
        } else if (connect.config.exactlyOnceSourceEnabled()) {
            connect.worker.startExactlyOnceSourceTask(
                    id, known, config, taskConfig, this, state, () -> offsets.check(false), () -> offsets.check(true));
        } else {
            connect.worker.startSourceTask(id, known, config, taskConfig, this, state);
        }
    }

    @Override
    public void obey(JsonNode order) {
        switch (order.get("order").asText()) {
            case "state" -> connect.worker.setTargetState(id.connector(), TargetState.valueOf(order.get("state").asText()), (error, state) -> {
                if (error != null) {
                    onFailure(id, error);
                }
            });
            case "forget_topics" -> connect.topics.forget(id.connector());
            default -> throw new IllegalArgumentException("a task was ordered to " + order.get("order"));
        }
    }

    @Override
    public void end() {
        connect.worker.stopAndAwaitTasks();
        connect.worker.stop();
    }

    @Override
    public void onStartup(ConnectorTaskId id) {
        wire.send("state", "state", "RUNNING");
    }

    @Override
    public void onPause(ConnectorTaskId id) {
        wire.send("state", "state", "PAUSED");
    }

    @Override
    public void onResume(ConnectorTaskId id) {
        onStartup(id);
    }

    @Override
    public void onFailure(ConnectorTaskId id, Throwable error) {
        wire.send("failed", "trace", Wire.trace(error), "config_error", error instanceof ConfigException);
    }

    @Override
    public void onShutdown(ConnectorTaskId id) {
    }

    @Override
    public void onDeletion(ConnectorTaskId id) {
    }

    @Override
    public void onRestart(ConnectorTaskId id) {
    }
}
