package connectd.host;

import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.connect.source.SourceRecord;
import org.apache.kafka.connect.source.SourceTask;
import org.apache.kafka.connect.source.SourceTaskContext;

/** A source task whose calls are watched. */
final class WatchedSourceTask extends SourceTask {
    private final SourceTask task;
    private final Watch watch;

    WatchedSourceTask(SourceTask task, Watch watch) {
        this.task = task;
        this.watch = watch;
    }

    @Override
    public void initialize(SourceTaskContext context) {
        super.initialize(context);
        task.initialize(context);
    }

    @Override
    public void start(Map<String, String> properties) {
        watch.enter("start");
        try {
            task.start(properties);
        } finally {
            watch.enter("none");
        }
    }

    @Override
    public List<SourceRecord> poll() throws InterruptedException {
        watch.enter("poll");
        long began = watch.entered.nanos();
        List<SourceRecord> records;
        try {
            records = task.poll();
        } finally {
            watch.enter("none");
        }
        if (records != null && !records.isEmpty()) {
            watch.batch(records.size(), began);
        }
        return records;
    }

    @Override
    public void commit() throws InterruptedException {
        task.commit();
    }

    @Override
    public void commitRecord(SourceRecord record, RecordMetadata metadata) throws InterruptedException {
        task.commitRecord(record, metadata);
    }

    @Override
    public void stop() {
        watch.enter("stop");
        try {
            task.stop();
        } finally {
            watch.enter("none");
        }
    }

    @Override
    public String version() {
        return task.version();
    }
}
