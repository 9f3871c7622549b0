"""Outcomes: did the work succeed, and what did a success cost."""
