"""Command line: one file per verb, loaded only when the verb is called."""
