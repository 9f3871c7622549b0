"""Readers: results of load generators, recognised by what is in the file; one file per tool."""
