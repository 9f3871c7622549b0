"""Fitting: the serving model's parameters from public measurements, and how wrong it is on rows it never saw."""
