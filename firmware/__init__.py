"""Passerby's firmware: pixels become events behind a wall; events become acknowledged bytes on the other side of it."""

__version__ = "0.1.0"
