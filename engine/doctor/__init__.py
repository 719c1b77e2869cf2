"""Is the library sound, and are the files that it needs there?"""
