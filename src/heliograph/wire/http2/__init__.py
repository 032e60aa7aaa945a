"""HTTP/2 (RFC 9113) over the `h2` codec: a client for far ends that want many calls at once on one connection, and a
server for their stand-ins."""
