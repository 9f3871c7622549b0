"""Horizon: the decision over the months to come: volume, prices, capital, payback, and what waiting is worth."""
