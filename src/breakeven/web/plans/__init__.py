"""Plans: what the pages Fleet and Routing ask and change: the question about a fleet, the policy in use."""
