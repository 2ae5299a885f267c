package org.apache.kafka.connect.runtime.rest;

/** In a host there is no REST server: this stands for Kafka's own, of which the Worker wants to know one number. */
public final class RestServer {
    public static final long DEFAULT_REST_REQUEST_TIMEOUT_MS = Long.parseLong("90000");

    private RestServer() {
    }
}
