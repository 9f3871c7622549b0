"""The configuration of a gateway: read from one YAML file, checked at start with the line named."""
