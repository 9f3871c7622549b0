"""Quantities: the arithmetic of published cost claims, by theme. The folder is the registry.

A module may say `ONE_PERIOD = True`: each amount in it (USD, tokens, requests, hours, kWh) is over one and the same
period, so its formulas hold for a request, an hour, a day, a month or a year alike. `WAYS` lists further ways to have
a quantity, `SUMS` those that add up whatever the claim counts, `ONLY_GIVEN` the inputs that a claim must state itself,
and `LAST_RESORT` the formulas that are taken only where nothing else leads there, the better ones first.
"""
