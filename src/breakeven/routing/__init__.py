"""Routing: which model answers a request, by a policy that was learnt offline; needs numpy at most."""
