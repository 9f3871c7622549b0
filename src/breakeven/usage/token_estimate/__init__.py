"""Token estimate: token counts of calls whose log has texts and no usage, each with its error band."""
