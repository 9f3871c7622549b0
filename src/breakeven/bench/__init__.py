"""Bench: load on an endpoint of one's own, measured: what a prediction of capacity is corrected with."""
