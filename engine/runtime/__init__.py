"""The machine that Engine runs on: threads, numeric precision, devices, default paths, the choice of an encoder."""
