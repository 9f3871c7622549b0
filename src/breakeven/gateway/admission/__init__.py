"""Admission: who may ask, which model answers, who takes its place, and what the request may cost."""
