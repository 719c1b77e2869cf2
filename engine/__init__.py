"""Engine finds music that sounds alike."""
