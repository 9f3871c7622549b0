"""Control: the process that answers administrators, takes outcomes, and shows metrics; no model is asked here."""
