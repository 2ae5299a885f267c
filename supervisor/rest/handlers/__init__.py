"""One small function an operation, by resource as in Java."""
