"""Have the stages of a run listed, each with its time: `enable_visualizer`.

    scriptrunner run --visualize examples/steps.py
    scriptrunner run --visualize-format json examples/steps.py

GET /api/runs/{run_id}/visualization?download=1 gives either as a text.
"""

print("one of twelve stages")
