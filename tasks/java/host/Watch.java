package connectd.host;

import java.util.Collection;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.connect.sink.SinkRecord;

/** Which call of the plugin is going on, and what calls have done: what Kafka's own metrics do not tell. */
final class Watch {
    record Entered(String call, long nanos) {
    }

    volatile Entered entered = new Entered("none", System.nanoTime());
    final Map<TopicPartition, Long> positions = new ConcurrentHashMap<>();
    private long batches;
    private long batchNanos;
    private long longestBatchNanos;
    private int largestBatch;

    void enter(String call) {
        entered = new Entered(call, System.nanoTime());
    }

    synchronized void batch(int records, long sinceNanos) {
        long took = System.nanoTime() - sinceNanos;
        batches++;
        batchNanos += took;
        longestBatchNanos = Math.max(longestBatchNanos, took);
        largestBatch = Math.max(largestBatch, records);
    }

    void given(Collection<SinkRecord> records) {
        // Those of a partition mostly come one after the other, and the last of them tells it all.
        SinkRecord last = null;
        for (SinkRecord each : records) {
            if (last != null && !samePartition(last, each)) {
                reach(last);
            }
            last = each;
        }
        if (last != null) {
            reach(last);
        }
    }

    private static boolean samePartition(SinkRecord one, SinkRecord other) {
        return Objects.equals(one.originalTopic(), other.originalTopic())
                && Objects.equals(one.originalKafkaPartition(), other.originalKafkaPartition());
    }

    private void reach(SinkRecord record) {
        if (record.originalTopic() != null && record.originalKafkaPartition() != null) {
            positions.put(new TopicPartition(record.originalTopic(), record.originalKafkaPartition()), record.originalKafkaOffset() + 1);
        }
    }

    /** Adds the counters of `kind`, poll or put; maxima begin anew. */
    synchronized void tell(String kind, Map<String, Object> counters) {
        counters.put(kind + "-batch-count", batches);
        counters.put(kind + "-batch-time-s", batchNanos / 1e9);
        counters.put(kind + "-batch-max-time-ms", longestBatchNanos / 1e6);
        counters.put("batch-size-max", largestBatch);
        longestBatchNanos = 0;
        largestBatch = 0;
    }
}
