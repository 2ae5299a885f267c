package connectd.host;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.common.metrics.PluginMetrics;
import org.apache.kafka.connect.runtime.CloseableConnectorContext;
import org.apache.kafka.connect.runtime.ConnectorConfig;
import org.apache.kafka.connect.runtime.ConnectorStatus;
import org.apache.kafka.connect.runtime.SinkConnectorConfig;
import org.apache.kafka.connect.runtime.SourceConnectorConfig;
import org.apache.kafka.connect.runtime.TargetState;

/** Runs one connector: starts it, tells its plan, and tells it anew when the connector asks for that. */
final class ConnectorWork implements Host.Work, ConnectorStatus.Listener, CloseableConnectorContext {
    private final Wire wire;
    private final String name;
    private final Map<String, String> config;
    private final Connect connect;
    private Set<Thread> before = Set.of();

    ConnectorWork(Wire wire, Offsets offsets, JsonNode first) {
        this.wire = wire;
        name = first.get("connector").asText();
        config = Wire.texts(first.get("config"));
        connect = new Connect(wire, offsets, first);
    }

    @Override
    public void begin() {
        connect.worker.start();
        new Beats(wire, connect, null).start();
        before = Thread.getAllStackTraces().keySet();
        connect.watch.enter("start");
        connect.worker.startConnector(name, config, this, this, TargetState.STARTED, (error, state) -> {
            connect.watch.enter("none");
            if (error == null) {
                plan();
            }
        });
    }

    private void plan() {
        try {
            boolean sink = connect.worker.isSinkConnector(name);
            ConnectorConfig settings = sink
                    ? new SinkConnectorConfig(connect.plugins, config)
                    : new SourceConnectorConfig(connect.plugins, config, connect.worker.isTopicCreationEnabled());
            connect.watch.enter("task_configs");
            List<Map<String, String>> configs = connect.worker.connectorTaskConfigs(name, settings);
            connect.watch.enter("none");
            wire.send("planned", "kind", sink ? "sink" : "source", "version", connect.worker.connectorVersion(name),
                    "configs", configs, "watching", hasThreads());
        } catch (Throwable error) {
            onFailure(name, error);
        }
    }

    /** Whether the connector has started threads: without one it will never ask for anything. */
    private boolean hasThreads() {
        return Thread.getAllStackTraces().keySet().stream()
                .anyMatch(each -> !before.contains(each) && each != Thread.currentThread());
    }

    @Override
    public void obey(JsonNode order) {
        throw new IllegalArgumentException("a connector was ordered to " + order.get("order"));
    }

    @Override
    public void end() {
        connect.watch.enter("stop");
        connect.worker.stopAndAwaitConnectors();
        connect.worker.stop();
    }

    @Override
    public void requestTaskReconfiguration() {
        wire.send("reconfigure");
        // As Kafka's herders: in another thread, for the connector may hold what its taskConfigs waits for.
        new Thread(this::plan, "plan").start();
    }

    @Override
    public void raiseError(Exception error) {
        onFailure(name, error);
    }

    @Override
    public PluginMetrics pluginMetrics() {
        return null;
    }

    @Override
    public void close() {
    }

    @Override
    public void onStartup(String connector) {
        wire.send("state", "state", "RUNNING");
    }

    @Override
    public void onFailure(String connector, Throwable error) {
        wire.send("failed", "trace", Wire.trace(error), "config_error", error instanceof ConfigException);
    }

    @Override
    public void onPause(String connector) {
    }

    @Override
    public void onResume(String connector) {
    }

    @Override
    public void onStop(String connector) {
    }

    @Override
    public void onShutdown(String connector) {
    }

    @Override
    public void onDeletion(String connector) {
    }

    @Override
    public void onRestart(String connector) {
    }
}
