package tests;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.connect.connector.Task;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.source.SourceConnector;
import org.apache.kafka.connect.source.SourceRecord;
import org.apache.kafka.connect.source.SourceTask;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Counts, a record each time, and does what a file tells it to. */
public class Ticker extends SourceConnector {
    private static final Logger LOG = LoggerFactory.getLogger(Ticker.class);

    private Map<String, String> config;
    private volatile int plans;

    @Override
    public void start(Map<String, String> properties) {
        config = properties;
        if (config.containsKey("plans")) {
            Thread watching = new Thread(() -> watch(Path.of(config.get("plans"))), "watching");
            watching.setDaemon(true);
            watching.start();
        }
    }

    /** Asks for another plan each time the file is there, as connectors do that look for new tables. */
    private void watch(Path file) {
        try {
            while (true) {
                Thread.sleep(20);
                if (Files.deleteIfExists(file)) {
                    plans++;
                    context().requestTaskReconfiguration();
                }
            }
        } catch (InterruptedException | java.io.IOException over) {
            LOG.warn("watches no more", over);
        }
    }

    @Override
    public Class<? extends Task> taskClass() {
        return TickerTask.class;
    }

    @Override
    public List<Map<String, String>> taskConfigs(int maxTasks) {
        List<Map<String, String>> found = new ArrayList<>();
        for (int i = 0; i < maxTasks; i++) {
            Map<String, String> task = new HashMap<>(config);
            task.put("plan", String.valueOf(plans));
            found.add(task);
        }
        return found;
    }

    @Override
    public void stop() {
    }

    @Override
    public ConfigDef config() {
        return new ConfigDef()
                .define("topic", ConfigDef.Type.STRING, ConfigDef.Importance.HIGH, "Where to.")
                .define("orders", ConfigDef.Type.STRING, ConfigDef.Importance.HIGH, "The file.")
                .define("secret", ConfigDef.Type.PASSWORD, "", ConfigDef.Importance.LOW, "Nobody's business.");
    }

    @Override
    public boolean alterOffsets(Map<String, String> config, Map<Map<String, ?>, Map<String, ?>> offsets) {
        return true;
    }

    @Override
    public String version() {
        return "7.0";
    }

    public static class TickerTask extends SourceTask {
        private final List<byte[]> hoard = new ArrayList<>();
        private Map<String, String> config;
        private long count;

        @Override
        public void start(Map<String, String> properties) {
            config = properties;
            Map<String, Object> offset = context.offsetStorageReader().offset(Map.of("ticker", "one"));
            count = offset == null ? 0 : ((Number) offset.get("count")).longValue();
            LOG.warn("begins at {} with {}", count, config.get("secret"));
            System.out.println("printed with " + config.get("secret"));
        }

        @Override
        public List<SourceRecord> poll() throws InterruptedException {
            Thread.sleep(20);
            LOG.debug("counting");
            switch (order()) {
                case "hoard" -> {
                    while (true) {
                        hoard.add(new byte[1 << 20]);
                    }
                }
                case "hang" -> Thread.sleep(Long.MAX_VALUE);
                case "fail" -> throw new IllegalStateException("told to fail");
                default -> count++;
            }
            return List.of(new SourceRecord(
                    Map.of("ticker", "one"), Map.of("count", count), config.get("topic"), Schema.STRING_SCHEMA,
                    String.valueOf(count) + " " + config.getOrDefault("secret", "").length()));
        }

        private String order() {
            try {
                Path file = Path.of(config.get("orders"));
                String order = Files.readString(file).strip();
                Files.delete(file);
                return order;
            } catch (java.io.IOException none) {
                return "";
            }
        }

        @Override
        public void stop() {
        }

        @Override
        public String version() {
            return "7.0";
        }
    }
}
