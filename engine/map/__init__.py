"""A map of the library: every track as a point, in a picture or a page."""
