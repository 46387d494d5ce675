"""The composition root: settings in, services out. Only here are things constructed.

Nothing happens at import. Every process imports the module for its own part and loads
nothing of the others: ``services`` web workers and the command line, ``supervision`` the
supervisor, ``jobs`` the background process too.
"""
