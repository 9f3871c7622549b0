"""The guide's claims, tested: one file per theme; each claim has the guide's words and a test that gives our figure."""
