"""Keep what this run measured apart from all others: `history_db`.

    scriptrunner run --history-db team/examples.db examples/memory.py
    scriptrunner run --no-history examples/memory.py

The first run is kept in a file below the history folder, the second one nowhere.
"""

print("remember me")
