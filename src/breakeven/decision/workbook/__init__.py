"""Workbook: the typical run as cells: what may be changed, what follows from what, and what moves with the months."""
