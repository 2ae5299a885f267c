import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.security.KeyStore;
import java.util.Collections;

/** Copies all entries of a PKCS12 file into a JKS file: FROM PASSWORD TO STORE_PASSWORD KEY_PASSWORD. */
public class KeyStores {
    public static void main(String[] args) throws Exception {
        KeyStore from = KeyStore.getInstance("PKCS12");
        try (FileInputStream file = new FileInputStream(args[0])) {
            from.load(file, args[1].toCharArray());
        }
        KeyStore to = KeyStore.getInstance("JKS");
        to.load(null, null);
        for (String alias : Collections.list(from.aliases())) {
            if (from.isKeyEntry(alias)) {
                char[] password = args[4].toCharArray();
                to.setKeyEntry(
                    alias, from.getKey(alias, args[1].toCharArray()), password, from.getCertificateChain(alias));
            } else {
                to.setCertificateEntry(alias, from.getCertificate(alias));
            }
        }
        try (FileOutputStream file = new FileOutputStream(args[2])) {
            to.store(file, args[3].toCharArray());
        }
    }
}
