"""How do the genres relate to each other?"""
