"""Where things are, below the server's own address."""

EXPLORER = ("/cdn-cgi/explorer/api", "/cdn-cgi/local/explorer/api")
GENERIC = "/cdn-cgi/cfwb/api"
