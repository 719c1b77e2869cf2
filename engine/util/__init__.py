"""Helpers that know nothing of music: atomic files, plotting, sampling."""
