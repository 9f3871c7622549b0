"""Prediction: what a Deployment delivers: a fitted roofline, its corrections and intervals, points in tables."""
