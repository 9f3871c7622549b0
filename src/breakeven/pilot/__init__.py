"""Pilot: a slice of traffic that proves, or does not, that a cheaper model keeps the success and saves the money."""
