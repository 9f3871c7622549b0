"""PDF: the decision on two pages of A4, one for finance and one for engineering."""
