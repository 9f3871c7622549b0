"""Wire: bytes of the two dialects to facts and back; pure, no socket and no clock."""
