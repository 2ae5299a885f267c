"""The REST API of Kafka Connect: one route table serves the server, the OpenAPI document and the contract tests."""
