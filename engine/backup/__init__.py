"""How is a library copied to a safe place, and brought back?"""
