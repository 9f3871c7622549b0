"""Metering: what each call used and cost, written down without ever holding up an answer."""
