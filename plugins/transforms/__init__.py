"""The built-in transformations: Kafka's own, Debezium's and those of the community that users expect beside them."""
