"""Helpers independent of music: atomic files, plotting, sampling."""
