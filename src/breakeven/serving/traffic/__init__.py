"""Traffic: requests played against replicas: queueing, fluid and simulated, and the fleet that they need."""
