"""What is logged: written without ever waiting for whoever reads it, and the last lines of each connector and task kept."""
