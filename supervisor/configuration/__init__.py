"""Worker and connector files: read, checked, compared with what runs, and read again on SIGHUP."""
