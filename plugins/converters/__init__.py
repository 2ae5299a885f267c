"""The built-in converters of keys, values and headers."""
