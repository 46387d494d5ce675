"""How many ways lead through a function: the cyclomatic complexity.

T. J. McCabe, "A Complexity Measure", IEEE Transactions on Software Engineering SE-2(4),
1976: one more than the number of decisions. Boolean operators do not count.
"""

import ast
from collections.abc import Iterator

#: Complexity beyond which a function is reported; the limit McCabe proposes.
LIMIT = 10
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_DECISIONS = (
    *(ast.If, ast.IfExp, ast.For, ast.AsyncFor, ast.While),
    *(ast.ExceptHandler, ast.comprehension, ast.match_case),
)


def find_complex(tree: ast.AST) -> Iterator[tuple[str, int, int, int]]:
    """Yield name, line and column (from 1), and complexity of each function beyond LIMIT.

    A function in another counts by itself.
    """
    for node in ast.walk(tree):
        if isinstance(node, _FUNCTIONS):
            complexity = 1 + _count_decisions(node)
            if complexity > LIMIT:
                yield node.name, node.lineno, node.col_offset + 1, complexity


def _count_decisions(function: ast.AST) -> int:
    count = 0
    waiting = list(ast.iter_child_nodes(function))
    while waiting:
        node = waiting.pop()
        if isinstance(node, _FUNCTIONS):
            continue
        count += isinstance(node, _DECISIONS)
        waiting += ast.iter_child_nodes(node)
    return count
