"""What customers read, one TOML file for each language."""
