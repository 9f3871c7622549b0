"""Imports room: logs that come through the browser, and what becomes of them."""
