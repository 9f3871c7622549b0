"""Telemetry: what a gateway counts, logs and traces, without ever slowing a request or holding its words."""
