"""What a sandbox may use and what it does use: control groups where they may be written, and what is left without."""
