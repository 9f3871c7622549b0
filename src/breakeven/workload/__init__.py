"""Workload: a stretch of Calls summarised: rates, lengths, peaks, cache reuse, spend."""
