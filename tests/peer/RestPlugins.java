package connectd.peer;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.Config;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.ConfigDef.Importance;
import org.apache.kafka.common.config.ConfigDef.Type;
import org.apache.kafka.common.config.ConfigDef.Width;
import org.apache.kafka.common.config.ConfigValue;
import org.apache.kafka.connect.connector.Task;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.errors.ConnectException;
import org.apache.kafka.connect.sink.SinkConnector;
import org.apache.kafka.connect.sink.SinkRecord;
import org.apache.kafka.connect.sink.SinkTask;
import org.apache.kafka.connect.source.SourceConnector;
import org.apache.kafka.connect.source.SourceRecord;
import org.apache.kafka.connect.source.SourceTask;

/** Connectors that do what their configuration says, for conversations with the REST API. rest_plugins.py has the same. */
public final class RestPlugins {

    private static final String VERSION = "1.2.3";

    private RestPlugins() { }

    static ConfigDef.Recommender depths() {
        return new ConfigDef.Recommender() {
            @Override
            public List<Object> validValues(String name, Map<String, Object> parsed) {
                return List.of(1, 2, 3);
            }

            @Override
            public boolean visible(String name, Map<String, Object> parsed) {
                return "deep".equals(parsed.get("mode"));
            }
        };
    }

    static ConfigDef definition() {
        return new ConfigDef()
            .define("topic", Type.STRING, "", Importance.HIGH, "Where to.")
            .define("fail", Type.STRING, "", Importance.LOW, "Where to fail.")
            .define("tasks", Type.INT, 1, ConfigDef.Range.between(0, 100), Importance.LOW, "How many tasks.")
            .define("alter", Type.STRING, "handle", Importance.LOW, "What to do about offsets.")
            .define("mode", Type.STRING, "flat", ConfigDef.ValidString.in("flat", "deep"), Importance.MEDIUM, "Flat or deep.",
                "Shape", 1, Width.SHORT, "The mode", List.of("depth"))
            .define("depth", Type.INT, 2, Importance.MEDIUM, "How deep.", "Shape", 2, Width.LONG, "The depth", depths())
            .define("secret", Type.PASSWORD, null, Importance.HIGH, "A secret.", "Access", 1, Width.MEDIUM, "The secret")
            .define("names", Type.LIST, "x,y", Importance.LOW, "Names.")
            .define("ratio", Type.DOUBLE, 0.5, Importance.LOW, "A ratio.")
            .define("size", Type.LONG, 10000000000L, Importance.LOW, "A size.")
            .define("small", Type.SHORT, (short) 3, Importance.LOW, "A small number.")
            .define("on", Type.BOOLEAN, true, Importance.LOW, "A switch.")
            .define("host", Type.STRING, "here", new ConfigDef.NonEmptyString(), Importance.LOW, "A host.")
            .define("needed", Type.STRING, ConfigDef.NO_DEFAULT_VALUE, Importance.HIGH, "A key without a default.");
    }

    static void maybeFail(Map<String, String> props, String where) {
        if (where.equals(props.get("fail"))) {
            throw new ConnectException(where + " failed as it was told to");
        }
    }

    static List<Map<String, String>> taskConfigs(Map<String, String> props, int maxTasks) {
        maybeFail(props, "taskConfigs");
        int tasks = Integer.parseInt(props.getOrDefault("tasks", String.valueOf(maxTasks)));
        List<Map<String, String>> configs = new ArrayList<>();
        for (int number = 0; number < tasks; number++) {
            Map<String, String> config = new HashMap<>(props);
            config.put("number", String.valueOf(number));
            configs.add(config);
        }
        return configs;
    }

    static Config validated(Map<String, String> props, Config config) {
        maybeFail(props, "validate");
        for (ConfigValue value : config.configValues()) {
            if (value.name().equals("host") && "nowhere".equals(value.value())) {
                value.addErrorMessage("cannot reach nowhere");
            }
        }
        return config;
    }

    static boolean altered(Map<String, String> props) {
        switch (props.getOrDefault("alter", "handle")) {
            case "refuse": throw new ConnectException("these offsets are not acceptable");
            case "unsupported": throw new UnsupportedOperationException("offsets cannot be altered");
            case "ignore": return false;
            default: return true;
        }
    }

    /** A source. */
    public static class TroubleSourceConnector extends SourceConnector {
        private Map<String, String> props;

        @Override
        public String version() {
            return VERSION;
        }

        @Override
        public void start(Map<String, String> props) {
            this.props = props;
            maybeFail(props, "start");
        }

        @Override
        public Class<? extends Task> taskClass() {
            return TroubleSourceTask.class;
        }

        @Override
        public List<Map<String, String>> taskConfigs(int maxTasks) {
            return RestPlugins.taskConfigs(props, maxTasks);
        }

        @Override
        public void stop() { }

        @Override
        public ConfigDef config() {
            return definition();
        }

        @Override
        public Config validate(Map<String, String> props) {
            return validated(props, super.validate(props));
        }

        @Override
        public boolean alterOffsets(Map<String, String> props, Map<Map<String, ?>, Map<String, ?>> offsets) {
            return altered(props);
        }
    }

    /** A sink. */
    public static class TroubleSinkConnector extends SinkConnector {
        private Map<String, String> props;

        @Override
        public String version() {
            return VERSION;
        }

        @Override
        public void start(Map<String, String> props) {
            this.props = props;
            maybeFail(props, "start");
        }

        @Override
        public Class<? extends Task> taskClass() {
            return TroubleSinkTask.class;
        }

        @Override
        public List<Map<String, String>> taskConfigs(int maxTasks) {
            return RestPlugins.taskConfigs(props, maxTasks);
        }

        @Override
        public void stop() { }

        @Override
        public ConfigDef config() {
            return definition();
        }

        @Override
        public Config validate(Map<String, String> props) {
            return validated(props, super.validate(props));
        }

        @Override
        public boolean alterOffsets(Map<String, String> props, Map<TopicPartition, Long> offsets) {
            return altered(props);
        }
    }

    /** Gives one record and then none. */
    public static class TroubleSourceTask extends SourceTask {
        private Map<String, String> props;
        private boolean done;

        @Override
        public String version() {
            return VERSION;
        }

        @Override
        public void start(Map<String, String> props) {
            this.props = props;
            maybeFail(props, "task");
            if ("one task".equals(props.get("fail")) && "1".equals(props.get("number"))) {
                throw new ConnectException("task 1 failed as it was told to");
            }
            done = context.offsetStorageReader().offset(Map.of("number", props.get("number"))) != null;
        }

        @Override
        public List<SourceRecord> poll() throws InterruptedException {
            maybeFail(props, "poll");
            if (done || props.getOrDefault("topic", "").isEmpty()) {
                Thread.sleep(50);
                return null;
            }
            done = true;
            return List.of(new SourceRecord(Map.of("number", props.get("number")), Map.of("count", 1L), props.get("topic"),
                Schema.STRING_SCHEMA, "a record"));
        }

        @Override
        public void stop() { }
    }

    /** Takes everything. */
    public static class TroubleSinkTask extends SinkTask {
        private Map<String, String> props;

        @Override
        public String version() {
            return VERSION;
        }

        @Override
        public void start(Map<String, String> props) {
            this.props = props;
            maybeFail(props, "task");
        }

        @Override
        public void put(java.util.Collection<SinkRecord> records) {
            if (!records.isEmpty()) {
                maybeFail(props, "put");
            }
        }

        @Override
        public void flush(Map<TopicPartition, OffsetAndMetadata> offsets) { }

        @Override
        public void stop() { }
    }
}
