"""Claims: other people's figures, recomputed from their own inputs, with the factor and the missing lines named."""
