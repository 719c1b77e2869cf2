"""What to hear next, from what was played, skipped and liked?"""
