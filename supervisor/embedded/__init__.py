"""A real Apache Kafka for development, demos and tests, started from Python packages: no Java, no Kafka installed."""
