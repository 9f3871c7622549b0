"""Prompts: what a logged prompt holds, how it is redacted, and where texts are kept when somebody asks for that."""
