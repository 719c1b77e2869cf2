"""Why does this track sound as it does, and why are two tracks near?"""
