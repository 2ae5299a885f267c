"""Secrets in configurations: references to config providers are resolved in children, and their values shown nowhere."""
