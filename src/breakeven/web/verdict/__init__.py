"""Verdict: the start page: the comparison in words, and sliders that ask what else would follow."""
