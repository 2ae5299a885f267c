import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.InputStreamReader;
import java.io.ObjectOutputStream;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.apache.kafka.connect.json.JsonConverter;
import org.apache.kafka.connect.runtime.standalone.StandaloneConfig;
import org.apache.kafka.connect.storage.FileOffsetBackingStore;

/**
 * Kafka's own offset store on a file. Arguments: the file, then `write` or `read`. Entries and keys come from standard input,
 * one a line in hexadecimal, a key and its value separated by a blank; the values read go to standard output.
 */
public class OffsetFile {
    private static final HexFormat HEX = HexFormat.of();

    public static void main(String[] args) throws Exception {
        if (args[0].equals("vectors")) {
            System.out.println(serialized(Map.of()));
            System.out.println(serialized(Map.of("k".getBytes(), "v".getBytes())));
            byte[] same = "k".getBytes();
            System.out.println(serialized(Map.of(same, same)));
            return;
        }
        FileOffsetBackingStore store = open(args[0]);
        List<String> lines = new BufferedReader(new InputStreamReader(System.in)).lines().toList();
        if (args[1].equals("write")) {
            Map<ByteBuffer, ByteBuffer> entries = new HashMap<>();
            for (String line : lines) {
                String[] words = line.split(" ", -1);
                entries.put(bytes(words[0]), bytes(words[1]));
            }
            store.set(entries, null).get();
        } else {
            List<ByteBuffer> keys = new ArrayList<>();
            for (String line : lines)
                keys.add(bytes(line));
            Map<ByteBuffer, ByteBuffer> found = store.get(keys).get();
            for (ByteBuffer key : keys)
                System.out.println(found.get(key) == null ? "null" : HEX.formatHex(found.get(key).array()));
        }
        store.stop();
    }

    private static FileOffsetBackingStore open(String file) {
        JsonConverter converter = new JsonConverter();
        converter.configure(Map.of("schemas.enable", "false"), true);
        FileOffsetBackingStore store = new FileOffsetBackingStore(converter);
        store.configure(new StandaloneConfig(Map.of(
            "bootstrap.servers", "localhost:9092",
            "key.converter", "org.apache.kafka.connect.storage.StringConverter",
            "value.converter", "org.apache.kafka.connect.storage.StringConverter",
            "offset.storage.file.filename", file)));
        store.start();
        return store;
    }

    private static ByteBuffer bytes(String hex) {
        return ByteBuffer.wrap(HEX.parseHex(hex));
    }

    private static String serialized(Map<byte[], byte[]> entries) throws Exception {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ObjectOutputStream stream = new ObjectOutputStream(bytes)) {
            HashMap<byte[], byte[]> map = new HashMap<>();
            entries.forEach(map::put);
            stream.writeObject(map);
        }
        return HEX.formatHex(bytes.toByteArray());
    }
}
