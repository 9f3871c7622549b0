"""Tests that know the importer only by its public interface, and try to break it."""
