"""Which genre and mood belong into the files' own tags?"""
