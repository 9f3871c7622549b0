"""Translation: chat completions to messages and back, requests, answers, streams."""
