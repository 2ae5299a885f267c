package connectd.host;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;

/** The socket to the process that started this one, at descriptor 0: a line of JSON an order or event. */
final class Wire {
    static final ObjectMapper JSON = new ObjectMapper();

    private final BufferedReader in =
            new BufferedReader(new InputStreamReader(new FileInputStream(FileDescriptor.in), StandardCharsets.UTF_8));
    private final OutputStream out = new FileOutputStream(FileDescriptor.in);

    Wire() {
        // What plugins print is for the log, and they have nothing to read.
        System.setOut(System.err);
        System.setIn(InputStream.nullInputStream());
    }

    /** The next order; null when nobody is there any more. */
    JsonNode read() throws IOException {
        String line = in.readLine();
        return line == null ? null : JSON.readTree(line);
    }

    /** Sends an event: its name, then names and values of its fields. */
    void send(String event, Object... fields) {
        Map<String, Object> content = new LinkedHashMap<>();
        content.put("event", event);
        for (int i = 0; i < fields.length; i += 2) {
            content.put((String) fields[i], fields[i + 1]);
        }
        try {
            write((JSON.writeValueAsString(content) + "\n").getBytes(StandardCharsets.UTF_8));
        } catch (IOException gone) {
            Runtime.getRuntime().halt(Host.ORPHANED);
        }
    }

    private synchronized void write(byte[] line) throws IOException {
        out.write(line);
    }

    static String trace(Throwable error) {
        StringWriter text = new StringWriter();
        error.printStackTrace(new PrintWriter(text));
        return text.toString();
    }

    /** A JSON object of texts; values may be null. */
    static Map<String, String> texts(JsonNode object) {
        Map<String, String> found = new HashMap<>();
        object.properties().forEach(each -> found.put(each.getKey(), each.getValue().isNull() ? null : each.getValue().asText()));
        return found;
    }
}
