"""Audio over RTP (RFC 3550): packets, G.711, digits as telephone events, and a stream that is sent in time."""
