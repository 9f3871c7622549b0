"""Learning: a routing policy from outcomes, with a quality floor that it keeps; the verdict may be "do not route"."""
