package connectd.host;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.apache.kafka.connect.connector.Connector;
import org.apache.kafka.connect.runtime.isolation.PluginDesc;
import org.apache.kafka.connect.runtime.rest.entities.ConfigInfos;
import org.apache.kafka.connect.runtime.rest.entities.Message;
import org.apache.kafka.connect.sink.SinkConnector;
import org.apache.kafka.connect.source.SourceConnector;

/** Answers questions about connectors, one after the other. */
final class Answers implements Host.Work {
    private final Wire wire;
    private final Offsets offsets;
    private final Connect connect;
    private final ExecutorService asked = Executors.newSingleThreadExecutor();

    Answers(Wire wire, Offsets offsets, JsonNode first) {
        this.wire = wire;
        this.offsets = offsets;
        connect = new Connect(wire, offsets, first);
        asked.execute(() -> answer(first));
    }

    @Override
    public void begin() {
    }

    @Override
    public void obey(JsonNode order) {
        asked.execute(() -> answer(order));
    }

    @Override
    public void end() {
    }

    private void answer(JsonNode order) {
        try {
            switch (order.get("order").asText()) {
                case "plugins" -> wire.send("answer", "plugins", plugins());
                case "describe" -> wire.send("answer", "keys", connect.herder.connectorPluginConfig(order.get("class").asText()));
                case "validate" -> validate(order);
                case "support" -> support(order);
                case "alter" -> alter(order);
                default -> throw new IllegalArgumentException("unknown question " + order.get("order"));
            }
        } catch (Throwable error) {
            fail(error);
        }
    }

    private List<Object> plugins() {
        List<Object> found = new ArrayList<>();
        for (Set<? extends PluginDesc<?>> kind : List.of(
                connect.plugins.sinkConnectors(), connect.plugins.sourceConnectors(), connect.plugins.converters(),
                connect.plugins.headerConverters(), connect.plugins.transformations(), connect.plugins.predicates())) {
            for (PluginDesc<?> each : kind) {
                found.add(Map.of("class", each.className(), "kind", each.typeName(), "version", String.valueOf(each.version())));
            }
        }
        return found;
    }

    private void validate(JsonNode order) throws Exception {
        Map<String, String> config = Wire.texts(order.get("config"));
        Object connector = connect.plugins.newConnector(config.get("connector.class"));
        connect.herder.validateConnectorConfig(config, (error, infos) -> tell(error, infos, (Connector) connector), false);
    }

    private void tell(Throwable error, ConfigInfos infos, Connector connector) {
        if (error != null) {
            fail(error);
        } else {
            wire.send("answer", "infos", infos, "kind", connector instanceof SinkConnector ? "sink" : "source", "version", connector.version());
        }
    }

    /** What a source says of exactly-once delivery: about itself, and about transactions that it defines. */
    private void support(JsonNode order) throws Exception {
        Map<String, String> config = Wire.texts(order.get("config"));
        SourceConnector connector = (SourceConnector) connect.plugins.newConnector(config.get("connector.class"));
        Object answer = order.get("boundaries").asBoolean() ? connector.canDefineTransactionBoundaries(config) : connector.exactlyOnceSupport(config);
        wire.send("answer", "support", answer == null ? null : answer.toString());
    }

    private void alter(JsonNode order) throws Exception {
        offsets.knowKeys(order.get("stored"));
        Map<Map<String, ?>, Map<String, ?>> wanted = null;
        if (order.hasNonNull("offsets")) {
            wanted = new HashMap<>();
            for (JsonNode pair : order.get("offsets")) {
                wanted.put(map(pair.get(0)), map(pair.get(1)));
            }
        }
        connect.worker.start();
        connect.worker.modifyConnectorOffsets(
                order.get("connector").asText(), Wire.texts(order.get("config")), wanted, (error, message) -> changed(error, message));
    }

    private void changed(Throwable error, Message message) {
        if (error != null) {
            fail(error);
        } else {
            wire.send("answer", "message", message.message());
        }
    }

    private void fail(Throwable error) {
        String message = error.getMessage() == null ? error.toString() : error.getMessage();
        wire.send("refused", "error", message, "class", error.getClass().getName(), "trace", Wire.trace(error));
    }

    @SuppressWarnings("unchecked")
    private static Map<String, ?> map(JsonNode object) {
        return Wire.JSON.convertValue(object, Map.class);
    }
}
