"""Reports: one comparison document, and the surfaces that show it (terminal, HTML, JSON)."""
