"""Relay: the process between clients and upstreams; sockets and clocks live here, decisions elsewhere in `gateway/`."""
