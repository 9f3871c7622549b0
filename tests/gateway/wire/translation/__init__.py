"""Tests of the translation between the two dialects."""
