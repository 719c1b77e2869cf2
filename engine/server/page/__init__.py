"""The page of the server: static files that a browser runs as they are."""
