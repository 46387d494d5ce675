"""The language of a script: by its extension, else by its first line."""

import re

#: Languages by extension in lower case, with its dot.
BY_EXTENSION = {
    ".py": "Python",
    ".pyw": "Python",
    ".ps1": "PowerShell",
    ".psm1": "PowerShell",
    ".sh": "Bash",
    ".bash": "Bash",
    ".bat": "Batch",
    ".cmd": "Batch",
    ".sql": "SQL",
    ".js": "JavaScript",
    ".mjs": "JavaScript",
    ".ts": "TypeScript",
    ".yaml": "YAML",
    ".yml": "YAML",
    ".json": "JSON",
    ".tf": "Terraform",
    ".rb": "Ruby",
    ".go": "Go",
    ".java": "Java",
    ".rs": "Rust",
}
#: Languages by the program that a first line ``#!`` names, without version numbers.
BY_INTERPRETER = {
    "python": "Python",
    "pypy": "Python",
    "sh": "Bash",
    "bash": "Bash",
    "dash": "Bash",
    "zsh": "Bash",
    "ksh": "Bash",
    "pwsh": "PowerShell",
    "node": "JavaScript",
    "nodejs": "JavaScript",
    "deno": "TypeScript",
    "ts-node": "TypeScript",
    "ruby": "Ruby",
    "go": "Go",
    "java": "Java",
}
#: What is listed only because a root's patterns ask for it.
OTHER = "Other"

_VERSION = re.compile(r"[\d.]+$")


def extension_of(name: str) -> str:
    """Return the extension of a file name in lower case with its dot, or ``""``.

    A name that only begins with a dot, such as ``.profile``, has none.
    """
    dot = name.rfind(".")
    if (
        dot <= 0
        or dot == len(name) - 1
        or (name[0] == "." and not name[:dot].strip("."))
    ):
        return ""
    return name[dot:].lower()


def find_by_first_line(head: bytes) -> str | None:
    """Return the language that a first line ``#!…`` names, or None."""
    if not head.startswith(b"#!"):
        return None
    line = head[2:200].partition(b"\n")[0].decode("ascii", "replace")
    words = [
        word for word in line.split() if not word.startswith("-") and "=" not in word
    ]
    programs = [word.rpartition("/")[2] for word in words]
    if programs and programs[0] == "env":
        programs = programs[1:]
    if not programs:
        return None
    return BY_INTERPRETER.get(_VERSION.sub("", programs[0]))
