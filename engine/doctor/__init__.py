"""Is the library sound, and are all files that it needs present?"""
