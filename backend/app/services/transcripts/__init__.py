"""The text: how it is kept, read and written out."""
