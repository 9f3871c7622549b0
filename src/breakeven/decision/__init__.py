"""Decision: options side by side, the volumes at which the cheapest one changes, and what would change the answer."""
