"""Linear heads for genres, moods and words: regularised fits, calibration, and the space they are fitted in."""
