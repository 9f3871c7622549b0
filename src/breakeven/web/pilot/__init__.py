"""Pilot: the pilots of a project in a browser: looked at live, ordered with a warning, labelled by several people."""
