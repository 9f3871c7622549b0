"""Spreadsheet: the comparison as a workbook with live formulas."""
