"""Which tracks to play next? Recommendations from plays, skips and likes."""
