"""Facts room: every assumption as a table, edits of the scenario file with their history, saved scenarios, traces."""
