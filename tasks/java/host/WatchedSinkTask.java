package connectd.host;

import java.util.Collection;
import java.util.Map;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.connect.sink.SinkRecord;
import org.apache.kafka.connect.sink.SinkTask;
import org.apache.kafka.connect.sink.SinkTaskContext;

/** A sink task whose calls are watched. */
final class WatchedSinkTask extends SinkTask {
    private final SinkTask task;
    private final Watch watch;

    WatchedSinkTask(SinkTask task, Watch watch) {
        this.task = task;
        this.watch = watch;
    }

    private void during(String call, Runnable work) {
        watch.enter(call);
        try {
            work.run();
        } finally {
            watch.enter("none");
        }
    }

    @Override
    public void initialize(SinkTaskContext context) {
        super.initialize(context);
        task.initialize(context);
    }

    @Override
    public void start(Map<String, String> properties) {
        during("start", () -> task.start(properties));
    }

    @Override
    public void put(Collection<SinkRecord> records) {
        long began = System.nanoTime();
        during("put", () -> task.put(records));
        if (!records.isEmpty()) {
            watch.batch(records.size(), began);
            watch.given(records);
        }
    }

    @Override
    public void flush(Map<TopicPartition, OffsetAndMetadata> offsets) {
        during("flush", () -> task.flush(offsets));
    }

    @Override
    public Map<TopicPartition, OffsetAndMetadata> preCommit(Map<TopicPartition, OffsetAndMetadata> offsets) {
        watch.enter("flush");
        try {
            return task.preCommit(offsets);
        } finally {
            watch.enter("none");
        }
    }

    @Override
    public void open(Collection<TopicPartition> partitions) {
        partitions.forEach(each -> watch.positions.putIfAbsent(each, -1L));
        during("start", () -> task.open(partitions));
    }

    @Override
    public void close(Collection<TopicPartition> partitions) {
        partitions.forEach(watch.positions::remove);
        during("stop", () -> task.close(partitions));
    }

    @Override
    public void stop() {
        during("stop", task::stop);
    }

    @Override
    public String version() {
        return task.version();
    }
}
