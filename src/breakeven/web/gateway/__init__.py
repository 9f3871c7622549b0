"""Gateway: a running gateway as the dashboard reads it over HTTP: what it counted, remembered for minutes, in words."""
