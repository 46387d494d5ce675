"""Ask for a package with known holes: try it with `enable_dependency_scanning`.

    scriptrunner run --dependency-scan examples/scanned_dependencies.py

Fetch the list of vulnerabilities first: `./scripts/scriptrunner advisories refresh`.
"""

# /// script
# dependencies = [
#     "requests==2.19.0",
#     "packaging",
# ]
# ///

print("The scan reads the block of comments above; this script imports nothing.")
