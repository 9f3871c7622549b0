"""Chapters: steps that stories have in common, each a few verbs and what they said."""
