"""A client of Kafka Connect's REST API, and the contexts that say which cluster it talks to."""
