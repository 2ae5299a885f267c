package connectd.host;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.SimpleFormatter;

/** Everything that is logged goes over the wire; which levels do, connectd says. Levels are numbers, higher ones more severe. */
public final class Logs {
    public static final int TRACE = 5;
    public static final int DEBUG = 10;
    public static final int INFO = 20;
    public static final int WARN = 30;
    public static final int ERROR = 40;

    private static final String ROOT = "root";
    private static final Map<String, Integer> LEVELS = new ConcurrentHashMap<>(Map.of(ROOT, INFO));
    private static volatile int changes;
    private static volatile Wire wire;

    private Logs() {
    }

    static void begin(Wire to) {
        wire = to;
        java.util.logging.Logger root = java.util.logging.LogManager.getLogManager().getLogger("");
        for (Handler each : root.getHandlers()) {
            root.removeHandler(each);
        }
        root.addHandler(new FromJavaUtilLogging());
    }

    static void setLevels(Map<String, String> levels) {
        levels.forEach((name, level) -> LEVELS.put(name, Integer.parseInt(level)));
        changes++;
    }

    /** Rises when levels change, so that loggers may remember theirs. */
    static int changes() {
        return changes;
    }

    /** The level of the logger, or of the next one above it that has one. */
    static int levelOf(String logger) {
        for (String name = logger; !name.isEmpty(); name = name.substring(0, Math.max(0, name.lastIndexOf('.')))) {
            Integer level = LEVELS.get(name);
            if (level != null) {
                return level;
            }
        }
        return LEVELS.get(ROOT);
    }

    static void write(int level, String logger, String message, Throwable error) {
        wire.send("log", "level", level, "logger", logger, "message", message, "trace", error == null ? null : Wire.trace(error));
    }

    private static final class FromJavaUtilLogging extends Handler {
        private final SimpleFormatter formatter = new SimpleFormatter();

        @Override
        public void publish(LogRecord record) {
            int level = level(record.getLevel().intValue());
            String logger = record.getLoggerName() == null ? ROOT : record.getLoggerName();
            if (level >= levelOf(logger)) {
                write(level, logger, formatter.formatMessage(record), record.getThrown());
            }
        }

        private static int level(int theirs) {
            return theirs >= 1000 ? ERROR : theirs >= 900 ? WARN : theirs >= 800 ? INFO : theirs >= 500 ? DEBUG : TRACE;
        }

        @Override
        public void flush() {
        }

        @Override
        public void close() {
        }
    }
}
