"""Facts: numbers that know their unit, their range, their source, and how they were combined."""
