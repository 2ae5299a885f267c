"""TLS in the settings of Kafka's clients: the `ssl.` keys, and key and trust stores as PEM."""
