"""What an encoder is worth: figures with intervals, pictures, and a report folder."""
