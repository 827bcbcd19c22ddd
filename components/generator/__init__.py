"""The text generator: the network, and writing text with it. Train fits it, sample writes with it."""
