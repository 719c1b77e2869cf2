"""What does the library hold? Listing, removing, relocating, exporting."""
