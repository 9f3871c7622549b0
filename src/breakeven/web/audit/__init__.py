"""Audit of the dashboard: the audit in the store, its examples, and labels that several people give at once."""
