"""Answers: what the guide's questions come to for one Comparison, as numbers; the words for them are in reports."""
