"""What the tests stand on: the pinned emulator, and a Worker that answers for the runtime."""
