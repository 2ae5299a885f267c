"""The demo, and the benchmarks against Java's Kafka Connect, the plain librdkafka loops and kcat."""
