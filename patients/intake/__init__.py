"""The laboratory's door: bytes become panels, panels become facts or wait for a person."""
