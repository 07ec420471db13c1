"""Engines behind one Protocol. Their native libraries are imported only inside engine processes."""
