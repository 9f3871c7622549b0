"""Serving: what one model on some GPUs delivers, and the fleet that carries a workload's peak."""
