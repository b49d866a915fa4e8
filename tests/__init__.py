"""Tests of cfwb; they run against the real emulator wherever state is read or written."""
