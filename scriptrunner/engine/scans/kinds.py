"""The words of the scans: kinds, severities, statuses and limits. Standard library only."""

#: The scans in the order in which they are made.
KINDS = ("secrets", "dependencies", "code_analysis")
#: Option of a run that asks for each.
OPTION_NAMES = {
    "secrets": "enable_secret_scanning",
    "dependencies": "enable_dependency_scanning",
    "code_analysis": "enable_code_analysis",
}
#: What each is called in a sentence.
LABELS = {
    "secrets": "secret scan",
    "dependencies": "dependency scan",
    "code_analysis": "code analysis",
}
#: From the least to the worst.
SEVERITIES = ("LOW", "MEDIUM", "HIGH", "CRITICAL")
#: Severities from which a finding may block a run; ``NONE`` only reports.
BLOCK_LEVELS = (*SEVERITIES, "NONE")
DEFAULT_BLOCK = "HIGH"
#: ``clean``: looked at, nothing found. ``unavailable``: a scanner or its data are missing.
#: ``error``: the scan did not come to its end.
STATUSES = ("clean", "findings", "unavailable", "error")
#: Findings that are listed for each scan; all are counted.
MAX_LISTED = 200
#: Bytes of the largest script that is scanned.
MAX_SCAN_BYTES = 4 << 20
#: Bytes of the largest requirements file that is read.
MAX_REQUIREMENTS_BYTES = 1 << 20
#: Seconds that all scans of one script may take.
SCAN_SECONDS = 30.0
#: Bytes of address space of the scanning process.
SCAN_MEMORY_BYTES = 1 << 30
#: Changes whenever the same content may give other findings by our own rules.
RULES = 1
