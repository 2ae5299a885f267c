"""Commands that talk to the REST API of a running worker, of connectd or of Java, in the words of kcctl."""
