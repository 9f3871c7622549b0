"""Refresh: read list prices again from where they are published; the only part of the catalogue that uses a network."""
