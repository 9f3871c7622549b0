"""Limits: budgets and rates of keys, reserved before a call is sent and settled after it."""
