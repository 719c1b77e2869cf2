"""Which files hold the same recording, and which the same work?"""
