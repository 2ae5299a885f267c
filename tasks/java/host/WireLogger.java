package connectd.host;

import org.slf4j.helpers.FormattingTuple;
import org.slf4j.helpers.MarkerIgnoringBase;
import org.slf4j.helpers.MessageFormatter;

/** A logger of SLF4J. */
public final class WireLogger extends MarkerIgnoringBase {
    private static final long serialVersionUID = 1L;

    private transient int level;
    private transient int seenChanges = -1;

    public WireLogger(String name) {
        this.name = name;
    }

    private boolean on(int wanted) {
        int changes = Logs.changes();
        if (seenChanges != changes) {
            level = Logs.levelOf(name);
            seenChanges = changes;
        }
        return wanted >= level;
    }

    private void log(int wanted, String format, Object... arguments) {
        if (on(wanted)) {
            FormattingTuple text = MessageFormatter.arrayFormat(format, arguments);
            Logs.write(wanted, name, text.getMessage(), text.getThrowable());
        }
    }

    private void logThrown(int wanted, String message, Throwable error) {
        if (on(wanted)) {
            Logs.write(wanted, name, message, error);
        }
    }
    @Override
    public boolean isTraceEnabled() {
        return on(Logs.TRACE);
    }

    @Override
    public void trace(String message) {
        logThrown(Logs.TRACE, message, null);
    }

    @Override
    public void trace(String format, Object one) {
        log(Logs.TRACE, format, one);
    }

    @Override
    public void trace(String format, Object one, Object other) {
        log(Logs.TRACE, format, one, other);
    }

    @Override
    public void trace(String format, Object... arguments) {
        log(Logs.TRACE, format, arguments);
    }

    @Override
    public void trace(String message, Throwable error) {
        logThrown(Logs.TRACE, message, error);
    }

    @Override
    public boolean isDebugEnabled() {
        return on(Logs.DEBUG);
    }

    @Override
    public void debug(String message) {
        logThrown(Logs.DEBUG, message, null);
    }

    @Override
    public void debug(String format, Object one) {
        log(Logs.DEBUG, format, one);
    }

    @Override
    public void debug(String format, Object one, Object other) {
        log(Logs.DEBUG, format, one, other);
    }

    @Override
    public void debug(String format, Object... arguments) {
        log(Logs.DEBUG, format, arguments);
    }

    @Override
    public void debug(String message, Throwable error) {
        logThrown(Logs.DEBUG, message, error);
    }

    @Override
    public boolean isInfoEnabled() {
        return on(Logs.INFO);
    }

    @Override
    public void info(String message) {
        logThrown(Logs.INFO, message, null);
    }

    @Override
    public void info(String format, Object one) {
        log(Logs.INFO, format, one);
    }

    @Override
    public void info(String format, Object one, Object other) {
        log(Logs.INFO, format, one, other);
    }

    @Override
    public void info(String format, Object... arguments) {
        log(Logs.INFO, format, arguments);
    }

    @Override
    public void info(String message, Throwable error) {
        logThrown(Logs.INFO, message, error);
    }

    @Override
    public boolean isWarnEnabled() {
        return on(Logs.WARN);
    }

    @Override
    public void warn(String message) {
        logThrown(Logs.WARN, message, null);
    }

    @Override
    public void warn(String format, Object one) {
        log(Logs.WARN, format, one);
    }

    @Override
    public void warn(String format, Object one, Object other) {
        log(Logs.WARN, format, one, other);
    }

    @Override
    public void warn(String format, Object... arguments) {
        log(Logs.WARN, format, arguments);
    }

    @Override
    public void warn(String message, Throwable error) {
        logThrown(Logs.WARN, message, error);
    }

    @Override
    public boolean isErrorEnabled() {
        return on(Logs.ERROR);
    }

    @Override
    public void error(String message) {
        logThrown(Logs.ERROR, message, null);
    }

    @Override
    public void error(String format, Object one) {
        log(Logs.ERROR, format, one);
    }

    @Override
    public void error(String format, Object one, Object other) {
        log(Logs.ERROR, format, one, other);
    }

    @Override
    public void error(String format, Object... arguments) {
        log(Logs.ERROR, format, arguments);
    }

    @Override
    public void error(String message, Throwable error) {
        logThrown(Logs.ERROR, message, error);
    }
}
