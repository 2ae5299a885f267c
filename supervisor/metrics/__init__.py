"""What Prometheus scrapes: Kafka Connect's metrics under the names its JMX exporter gives them, and connectd's own."""
