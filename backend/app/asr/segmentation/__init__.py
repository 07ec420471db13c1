"""Where speech is, and the windows it is transcribed in."""
