"""What must hold whatever happens: kills, pauses, lost leases, late writers. Every run prints its seed."""
