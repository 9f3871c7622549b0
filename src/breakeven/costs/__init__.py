"""Costs: named lines in USD per month, each with one owner and a Trace."""
