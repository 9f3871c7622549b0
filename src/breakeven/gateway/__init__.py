"""Gateway: serves a routing policy as an OpenAI- and Anthropic-compatible endpoint, and writes down what happened."""
