"""What a distributed worker keeps in Kafka: configurations, source offsets and statuses, in Kafka Connect's own formats."""
