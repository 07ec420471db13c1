"""Facts that ship with the program."""
