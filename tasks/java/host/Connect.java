package connectd.host;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Map;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.connect.connector.policy.ConnectorClientConfigOverridePolicy;
import org.apache.kafka.connect.runtime.Herder;
import org.apache.kafka.connect.runtime.Worker;
import org.apache.kafka.connect.runtime.WorkerConfig;
import org.apache.kafka.connect.runtime.isolation.Plugins;
import org.apache.kafka.connect.runtime.standalone.Herders;

/** Kafka Connect's Worker with what it needs around it. */
final class Connect {
    final Watch watch = new Watch();
    final Plugins plugins;
    final WorkerConfig config;
    final Worker worker;
    final Herder herder;
    final Topics topics;

    Connect(Wire wire, Offsets offsets, JsonNode first) {
        Map<String, String> properties = Wire.texts(first.get("worker"));
        plugins = new WatchedPlugins(properties, watch);
        Plugins.compareAndSwapLoaders(plugins.delegatingLoader());
        config = new Settings(properties);
        ConnectorClientConfigOverridePolicy policy = plugins.newPlugin(
                config.getString(WorkerConfig.CONNECTOR_CLIENT_POLICY_CLASS_CONFIG), config, ConnectorClientConfigOverridePolicy.class);
        worker = new Worker(first.get("worker_id").asText(), Time.SYSTEM, plugins, config, offsets, policy);
        topics = new Topics(wire);
        herder = Herders.of(worker, topics, policy);
    }
}
