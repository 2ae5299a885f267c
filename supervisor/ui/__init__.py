"""The web page at `/ui`: static files that ask the REST API for everything."""
