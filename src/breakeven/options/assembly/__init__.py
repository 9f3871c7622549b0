"""Assembly: what several Options share: the demand they carry, the offers they buy, the lines they pay for."""
