"""A transcription's life, from the queue to the transcript."""
