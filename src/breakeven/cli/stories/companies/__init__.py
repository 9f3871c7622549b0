"""Companies: one file for each story; `breakeven demo --story` finds them here by their names."""
