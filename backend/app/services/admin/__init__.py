"""What the operator asks: is it ready, what can it do."""
