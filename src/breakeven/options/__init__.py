"""Options: the ways to serve a Workload; one file each, found by walking this folder."""
