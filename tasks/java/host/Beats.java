package connectd.host;

import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import javax.management.JMException;
import javax.management.MBeanServer;
import javax.management.ObjectName;
import org.apache.kafka.common.MetricName;
import org.apache.kafka.common.metrics.KafkaMetric;

/** Tells once a second that this virtual machine lives, what it is in, and what Kafka's metrics say. */
final class Beats extends Thread {
    private static final long INTERVAL_MS = 1000;
    private static final Set<String> GROUPS =
            Set.of("source-task-metrics", "sink-task-metrics", "connector-task-metrics", "task-error-metrics");
    private static final Map<String, String> BYTES =
            Map.of("poll", "kafka.producer:type=producer-metrics,*", "put", "kafka.consumer:type=consumer-metrics,*");

    private final Wire wire;
    private final Connect connect;
    private final String kind;

    /** `kind` is poll for a source task, put for a sink task, null for a connector. */
    Beats(Wire wire, Connect connect, String kind) {
        super("beats");
        setDaemon(true);
        this.wire = wire;
        this.connect = connect;
        this.kind = kind;
    }

    @Override
    public void run() {
        try {
            while (true) {
                beat();
                Thread.sleep(INTERVAL_MS);
            }
        } catch (InterruptedException over) {
            Thread.currentThread().interrupt();
        }
    }

    private void beat() {
        Map<String, Object> counters = new HashMap<>();
        if (kind != null) {
            connect.worker.metrics().metrics().metrics().forEach((name, metric) -> put(counters, name, metric));
            connect.watch.tell(kind, counters);
            addBytes(counters);
        }
        List<Object> positions = new ArrayList<>();
        connect.watch.positions.forEach((each, offset) -> positions.add(List.of(each.topic(), each.partition(), offset)));
        Watch.Entered entered = connect.watch.entered;
        wire.send("beat", "call", entered.call(), "call_s", (System.nanoTime() - entered.nanos()) / 1e9,
                "counters", counters, "positions", positions);
    }

    private static void put(Map<String, Object> counters, MetricName name, KafkaMetric metric) {
        // Some others, asked for their value, fail.
        if (GROUPS.contains(name.group()) && metric.metricValue() instanceof Number number && Double.isFinite(number.doubleValue())) {
            counters.put(name.name(), number);
        }
    }

    /** What the client of the task has sent and received: its metrics are beans of the platform only. */
    private void addBytes(Map<String, Object> counters) {
        String client = kind.equals("poll") ? "producer" : "consumer";
        MBeanServer server = ManagementFactory.getPlatformMBeanServer();
        try {
            for (ObjectName each : server.queryNames(new ObjectName(BYTES.get(kind)), null)) {
                for (String attribute : List.of("connection-count", "outgoing-byte-total", "incoming-byte-total")) {
                    if (server.getAttribute(each, attribute) instanceof Number number) {
                        counters.merge(client + "-" + attribute, number.doubleValue(), (one, other) -> (double) one + (double) other);
                    }
                }
            }
        } catch (JMException gone) {
            // A client that was just closed.
        }
    }
}
