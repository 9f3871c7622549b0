"""Export: Calls for other tools, one file per format."""
