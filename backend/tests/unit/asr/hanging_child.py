"""A child process that never answers."""

import time

time.sleep(60)
