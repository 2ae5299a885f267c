package connectd.bench;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.connect.connector.Task;
import org.apache.kafka.connect.data.Field;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.SchemaBuilder;
import org.apache.kafka.connect.data.Struct;
import org.apache.kafka.connect.errors.ConnectException;
import org.apache.kafka.connect.sink.SinkConnector;
import org.apache.kafka.connect.sink.SinkRecord;
import org.apache.kafka.connect.sink.SinkTask;
import org.apache.kafka.connect.source.SourceConnector;
import org.apache.kafka.connect.source.SourceRecord;
import org.apache.kafka.connect.source.SourceTask;

/** Orders out of memory and into a file of one byte each: what is left is the cost of the framework. record_plugins has the same. */
public final class RecordPlugins {

    static final int BATCH = 2000;
    static final Schema ORDER = SchemaBuilder.struct().name("order")
        .field("id", Schema.INT64_SCHEMA)
        .field("customer", Schema.STRING_SCHEMA)
        .field("city", Schema.STRING_SCHEMA)
        .field("amount", Schema.FLOAT64_SCHEMA)
        .field("count", Schema.INT32_SCHEMA)
        .field("paid", Schema.BOOLEAN_SCHEMA)
        .field("note", Schema.OPTIONAL_STRING_SCHEMA)
        .field("status", Schema.STRING_SCHEMA)
        .field("created", Schema.INT64_SCHEMA)
        .field("reference", Schema.STRING_SCHEMA)
        .build();

    private RecordPlugins() { }

    static Struct order(long number) {
        return new Struct(ORDER)
            .put("id", number)
            .put("customer", "customer " + number)
            .put("city", "Berlin")
            .put("amount", 12.5 + number)
            .put("count", (int) (number % 100))
            .put("paid", number % 2 == 0)
            .put("status", "new")
            .put("created", 1_700_000_000_000L + number)
            .put("reference", "A-" + number);
    }

    static Map<String, Object> plain(Struct order) {
        Map<String, Object> fields = new LinkedHashMap<>();
        for (Field field : ORDER.fields()) {
            fields.put(field.name(), order.get(field));
        }
        return fields;
    }

    public static final class OrderSource extends SourceConnector {

        private Map<String, String> props;

        @Override
        public void start(Map<String, String> given) {
            props = given;
        }

        @Override
        public Class<? extends Task> taskClass() {
            return OrderSourceTask.class;
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

    public static final class OrderSourceTask extends SourceTask {

        private final List<SourceRecord> batch = new ArrayList<>();
        private long left;

        @Override
        public void start(Map<String, String> props) {
            left = Long.parseLong(props.get("records"));
            boolean withSchema = Boolean.parseBoolean(props.get("with.schema"));
            for (int number = 0; number < BATCH; number++) {
                Struct order = order(number);
                Schema schema = withSchema ? ORDER : null;
                Object value = withSchema ? order : plain(order);
                batch.add(new SourceRecord(Map.of("p", "orders"), Map.of("n", number), props.get("topic"), schema, value));
            }
        }

        @Override
        public List<SourceRecord> poll() throws InterruptedException {
            if (left <= 0) {
                Thread.sleep(100);
                return null;
            }
            left -= batch.size();
            return new ArrayList<>(batch);
        }

        @Override
        public void stop() { }

        @Override
        public String version() {
            return "1";
        }
    }

    public static final class OrderSink extends SinkConnector {

        private Map<String, String> props;

        @Override
        public void start(Map<String, String> given) {
            props = given;
        }

        @Override
        public Class<? extends Task> taskClass() {
            return OrderSinkTask.class;
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

    public static final class OrderSinkTask extends SinkTask {

        private OutputStream out;

        @Override
        public void start(Map<String, String> props) {
            try {
                out = Files.newOutputStream(Path.of(props.get("file")));
            } catch (IOException e) {
                throw new ConnectException(e);
            }
        }

        @Override
        public void put(Collection<SinkRecord> records) {
            byte[] marks = new byte[records.size()];
            Arrays.fill(marks, (byte) '\n');
            int index = 0;
            for (SinkRecord record : records) {
                if (record.value() != null) {
                    marks[index] = '.';
                }
                index++;
            }
            try {
                out.write(marks);
            } catch (IOException e) {
                throw new ConnectException(e);
            }
        }

        @Override
        public void stop() {
            try {
                out.close();
            } catch (IOException e) {
                throw new ConnectException(e);
            }
        }

        @Override
        public String version() {
            return "1";
        }
    }
}
