"""Audit: what is really sent to the models: tasks, their share of calls and spend, and what a small model can do."""
