package connectd.peer;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.connect.connector.ConnectRecord;
import org.apache.kafka.connect.connector.Task;
import org.apache.kafka.connect.errors.ConnectException;
import org.apache.kafka.connect.errors.DataException;
import org.apache.kafka.connect.errors.RetriableException;
import org.apache.kafka.connect.sink.SinkConnector;
import org.apache.kafka.connect.sink.SinkRecord;
import org.apache.kafka.connect.sink.SinkTask;
import org.apache.kafka.connect.source.SourceConnector;
import org.apache.kafka.connect.source.SourceRecord;
import org.apache.kafka.connect.source.SourceTask;
import org.apache.kafka.connect.transforms.Transformation;

/** Connectors and a transformation that do with each record what it says in its field "do". errors_plugins has the same. */
public final class ErrorsPlugins {

    private ErrorsPlugins() { }

    static String order(Object value) {
        return value instanceof Map ? String.valueOf(((Map<?, ?>) value).get("do")) : "";
    }

    public static final class PickyTransform<R extends ConnectRecord<R>> implements Transformation<R> {

        private int left = 2;

        @Override
        public R apply(R record) {
            switch (order(record.value())) {
                case "stuck":
                    throw new RetriableException("stuck as it was told to be");
                case "flaky":
                    if (left-- > 0) {
                        throw new RetriableException("not yet");
                    }
                    return record;
                case "break":
                    throw new DataException("broken as it was told to be");
                case "drop":
                    return null;
                default:
                    return record;
            }
        }

        @Override
        public ConfigDef config() {
            return new ConfigDef();
        }

        @Override
        public void configure(Map<String, ?> configs) { }

        @Override
        public void close() { }
    }

    public static final class PickySinkConnector extends SinkConnector {

        private Map<String, String> props;

        @Override
        public void start(Map<String, String> given) {
            props = given;
        }

        @Override
        public Class<? extends Task> taskClass() {
            return PickySinkTask.class;
        }

        @Override
        public List<Map<String, String>> taskConfigs(int maxTasks) {
            return List.of(props);
        }

        @Override
        public void stop() { }

        @Override
        public ConfigDef config() {
            return new ConfigDef();
        }

        @Override
        public String version() {
            return "1";
        }
    }

    public static final class PickySinkTask extends SinkTask {

        private Path out;

        @Override
        public void start(Map<String, String> props) {
            out = Path.of(props.get("out"));
        }

        @Override
        public void put(Collection<SinkRecord> records) {
            StringBuilder lines = new StringBuilder();
            for (SinkRecord record : records) {
                if (order(record.value()).equals("report")) {
                    context.errantRecordReporter().report(record, new ConnectException("reported as it was told to be"));
                } else if (order(record.value()).equals("fail")) {
                    throw new ConnectException("failed as it was told to");
                } else {
                    lines.append(record.topic()).append(' ').append(record.kafkaOffset()).append('\n');
                }
            }
            try {
                Files.writeString(out, lines, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
            } catch (IOException e) {
                throw new ConnectException(e);
            }
        }

        @Override
        public void stop() { }

        @Override
        public String version() {
            return "1";
        }
    }

    public static final class PickySourceConnector extends SourceConnector {

        private Map<String, String> props;

        @Override
        public void start(Map<String, String> given) {
            props = given;
        }

        @Override
        public Class<? extends Task> taskClass() {
            return PickySourceTask.class;
        }

        @Override
        public List<Map<String, String>> taskConfigs(int maxTasks) {
            return List.of(props);
        }

        @Override
        public void stop() { }

        @Override
        public ConfigDef config() {
            return new ConfigDef();
        }

        @Override
        public String version() {
            return "1";
        }
    }

    public static final class PickySourceTask extends SourceTask {

        private String topic;
        private String[] orders;
        private boolean done;

        @Override
        public void start(Map<String, String> props) {
            topic = props.get("topic");
            orders = props.get("orders").split(",");
        }

        @Override
        public List<SourceRecord> poll() throws InterruptedException {
            if (done) {
                Thread.sleep(100);
                return null;
            }
            done = true;
            List<SourceRecord> records = new ArrayList<>();
            for (int n = 0; n < orders.length; n++) {
                Map<String, Object> value = new HashMap<>();
                value.put("n", n);
                value.put("do", orders[n]);
                if (orders[n].equals("large")) {
                    value.put("text", "x".repeat(2_000_000));
                }
                Object key = orders[n].equals("key") ? "no number" : (Object) n;
                records.add(new SourceRecord(Map.of("p", "only"), Map.of("n", n), topic, 0, null, key, null, value));
            }
            return records;
        }

        @Override
        public void stop() { }

        @Override
        public String version() {
            return "1";
        }
    }
}
