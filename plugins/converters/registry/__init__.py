"""What converters with a Schema Registry share: settings, client, subjects, wire format, and the converter itself."""
