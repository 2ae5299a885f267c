package connectd.host;

import java.lang.reflect.Method;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.connect.errors.ConnectException;
import org.apache.kafka.connect.source.SourceRecord;
import org.apache.kafka.connect.source.SourceTask;
import org.apache.kafka.connect.source.SourceTaskContext;

/** A source task whose calls are watched. */
final class WatchedSourceTask extends SourceTask {
    private final SourceTask task;
    private final Watch watch;

    /** What tasks made for a Kafka before 4.0 may have instead of today's commitRecord; null for all others. */
    private final Method oldCommitRecord;

    WatchedSourceTask(SourceTask task, Watch watch) {
        this.task = task;
        this.watch = watch;
        oldCommitRecord = oldCommitRecord(task.getClass());
    }

    private static Method oldCommitRecord(Class<?> taskClass) {
        try {
            Method today = taskClass.getMethod("commitRecord", SourceRecord.class, RecordMetadata.class);
            return today.getDeclaringClass() == SourceTask.class ? taskClass.getMethod("commitRecord", SourceRecord.class) : null;
        } catch (NoSuchMethodException none) {
            return null;
        }
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
        if (oldCommitRecord == null) {
            task.commitRecord(record, metadata);
            return;
        }
        try {
            oldCommitRecord.invoke(task, record);
        } catch (ReflectiveOperationException error) {
            throw new ConnectException("the task failed in commitRecord", error.getCause());
        }
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
