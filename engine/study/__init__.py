"""Tables of the papers, reproduced at desk scale: one TOML file in, one table out."""
