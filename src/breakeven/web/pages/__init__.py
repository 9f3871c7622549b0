"""Pages: one file each, with `PAGE`; the folder is the list."""
