"""Reading: bytes of any log file become numbered rows of text, without trusting a single byte."""
