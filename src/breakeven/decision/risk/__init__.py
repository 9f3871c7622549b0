"""Risk: what doubt costs, which number to measure next, and break-even over all futures."""
