"""Processes of our own for what is foreign or native: started, confined, spoken to in frames, and ended."""
