"""Questions that only plugin code or a Kafka client can answer, and therefore only a child."""
