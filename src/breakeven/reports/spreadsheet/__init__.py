"""Spreadsheet: the comparison as a workbook with live formulas."""

from breakeven.reports.spreadsheet.write import write_xlsx as write_xlsx
