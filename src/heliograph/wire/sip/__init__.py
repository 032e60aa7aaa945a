"""SIP (RFC 3261): a codec and state machines without I/O, and the endpoint that speaks for them."""
