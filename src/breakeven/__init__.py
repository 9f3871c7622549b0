"""breakeven: what every way to serve an LLM workload really costs, from the team's own usage log."""

__version__ = "0.1.0"
