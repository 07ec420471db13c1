"""Any recording in, 16 kHz mono 16-bit samples out, in constant memory."""
