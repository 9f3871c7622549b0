"""The catalogue: dated, sourced facts and prices in YAML, and the objects the rest of the package reads them as."""
