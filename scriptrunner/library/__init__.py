"""The script library: which scripts there are, what they are, and where they have been."""
