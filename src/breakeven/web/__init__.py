"""The dashboard: the same documents as the command line and the report, in a browser, with sliders."""
