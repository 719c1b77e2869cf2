"""Sound and pictures: streams in other codecs, waveforms, covers. All decoding runs in processes of its own."""
