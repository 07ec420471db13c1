"""Where bytes live: sealed objects under server-made keys, uploads that may pause, signed addresses."""
