"""Every guard of the code, found in its syntax, each with a switch that takes it away.

A guard is what keeps a law when something is repeated, late, concurrent or wrong: an early exit, a
condition of a write, a key that is the same each time, a lease, an error that is handled, a limit.
`rewritten` gives a module in which each of them asks its switch (`switches`) whether it is there,
so one import serves all mutations, and a test that meets a guard is seen to meet it.

A guard is named by its module, its function and its text, never by a line. Not found here: branches
that choose between two values, which are the meaning of the code and not a guard of it; nor the
conditions of single commits, because the ports have no change without a condition.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = "chalicelib"
# What reads texts, or is a table of them, is compared with other readers and real files.
_NOT_LAWS = {
    "adapters/lists/building",
    "domain/addresses.py",
    "domain/benefits.py",
    "domain/campaign",
    "domain/fact_bodies",
    "domain/files",
    "domain/first_names.py",
    "domain/mailboxes.py",
    "domain/money.py",
    "domain/providers.py",
}
_LAYERS = (
    *("adapters", "domain", "services"),
    *("daily_checks.py", "fact_metrics.py", "file_logs.py", "functions"),
    *("invocations.py", "work_logs.py"),
)

_EXITS = (ast.Return, ast.Raise, ast.Continue, ast.Break)
_MANAGERS = {"of": "isolated", "suppress": "isolated", "at_least": "entered"}
_CONDITIONAL_WRITES = {"IfNoneMatch", "IfMatch"}
_TRUTHS = ("is_", "has_", "may_", "can_", "was_", "belongs", "counts", "by_")
_KEYS = re.compile(r"(_mail|_path|_position|^position)$")  # of functions: what they answer is a key
_LONGEST_TEXT = 70
SWITCH = "__guard__"


@dataclass(frozen=True)
class Guard:
    """What can be taken away: `kind` says how."""

    name: str
    kind: str

    @property
    def module(self) -> str:
        """The module that has it, without the package."""
        return self.name.partition(":")[0]


@dataclass(frozen=True)
class Constants:
    """The constants at the top of modules, by the name under which a module has them: limits with
    their home, and in the module itself sets and conditions with their parts.
    """

    limits: dict[str, str] = field(default_factory=dict)
    sets: dict[str, list[ast.expr]] = field(default_factory=dict)
    conditions: dict[str, list[str]] = field(default_factory=dict)


def paths() -> list[Path]:
    """The files in which guards are looked for."""
    found = (path for layer in _LAYERS for path in _files(ROOT / PACKAGE / layer))
    return [path for path in found if not _is_left_out(path.relative_to(ROOT / PACKAGE))]


def _files(path: Path) -> list[Path]:
    return sorted(path.rglob("*.py")) if path.is_dir() else [path]


def _is_left_out(path: Path) -> bool:
    return any(str(part) in _NOT_LAWS for part in (path, *path.parents))


def all_guards() -> dict[str, Guard]:
    """All guards by name, in the order of the code."""
    return {guard.name: guard for path in paths() for guard in rewritten(path)[1]}


def rewritten(path: Path) -> tuple[ast.Module, list[Guard]]:
    """The module with its switches, and its guards."""
    tree = ast.parse(path.read_text())
    rewriter = _Rewriter(module_of(path), constants_of(path))
    rewriter.visit(tree)
    return ast.fix_missing_locations(tree), rewriter.guards


def module_of(path: Path) -> str:
    """The name of a module, without the package."""
    return ".".join(path.relative_to(ROOT / PACKAGE).with_suffix("").parts)


@cache
def constants_of(path: Path) -> Constants:
    """The constants that a module has under a name: its own, and the limits it imports."""
    own = Constants()
    for node in ast.parse(path.read_text()).body:
        match node:
            case ast.ImportFrom(module=str(module)) if module.startswith(f"{PACKAGE}."):
                home = (ROOT / module.replace(".", "/")).with_suffix(".py")
                theirs = constants_of(home).limits if home.is_file() else {}
                named = {each.name: each.asname or each.name for each in node.names}
                own.limits.update({named[n]: at for n, at in theirs.items() if n in named})
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if name.isupper():
                _note(own, module_of(path), name, value)
            case _:
                pass
    return own


def _note(own: Constants, module: str, name: str, value: ast.expr) -> None:
    match value:
        case ast.Constant(value=bool()):
            pass
        case ast.Constant(value=int() | float()) | ast.Call(func=ast.Name(id="timedelta")):
            own.limits[name] = f"{module}:{name}"
        case (
            ast.Set(elts=elements)
            | ast.Call(func=ast.Name(id="frozenset"), args=[ast.Set(elts=elements)])
        ):
            own.sets[name] = [each for each in elements if not isinstance(each, ast.Starred)]
        case ast.Constant(value=str(text)) if "attribute_" in text or " = :" in text:
            own.conditions[name] = fragments(text)
        case ast.JoinedStr(values=parts) if module == "adapters.dynamodb.repository":
            text = "".join(_text_of(own, part) for part in parts)
            own.conditions[name] = fragments(text)


def _text_of(own: Constants, part: ast.expr) -> str:
    match part:
        case ast.Constant(value=str(text)):
            return text
        case ast.FormattedValue(value=ast.Name(id=name)) if name in own.conditions:
            return " AND ".join(own.conditions[name])
    raise ValueError(f"a condition is made of {ast.unparse(part)}")


def fragments(condition: str) -> list[str]:
    """The parts of a condition expression, which has AND alone or OR alone."""
    return condition.split(" OR " if " OR " in condition else " AND ")


class _Rewriter(ast.NodeTransformer):
    """Puts switches into a module and lists them."""

    def __init__(self, module: str, constants: Constants) -> None:
        self.guards: list[Guard] = []
        self._module = module
        self._constants = constants
        self._scope: list[str] = []
        self._inside = 0  # of how many functions: what runs at import time has no switch
        self._is_truth = self._is_key = False
        self._seen: Counter[str] = Counter()
        self._of_constants: set[str] = set()

    # --- names -----------------------------------------------------------------------------------

    def _guard(self, kind: str, text: str) -> ast.Constant:
        text = " ".join(text.split())
        if len(text) > _LONGEST_TEXT:
            text = f"{text[:_LONGEST_TEXT]}…"
        name = f"{self._module}:{'.'.join(self._scope)}:{kind} {text}"
        self._seen[name] += 1
        if self._seen[name] > 1:
            name += f" #{self._seen[name]}"
        return self._named(name, kind)

    def _named(self, name: str, kind: str) -> ast.Constant:
        if name not in self._of_constants:
            self._of_constants.add(name)
            self.guards.append(Guard(name, kind))
        return ast.Constant(name)

    # --- places ----------------------------------------------------------------------------------

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        self._scope.append(node.name)
        node.body = list(self._statements(node.body))
        self._scope.pop()
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        outer = self._is_truth, self._is_key
        self._is_truth = _returns(node, "bool")
        self._is_key = _returns(node, "str") and bool(_KEYS.search(node.name))
        self._scope.append(node.name)
        node.decorator_list = [self._decorator(each) for each in node.decorator_list]
        self._inside += 1
        node.body = list(self._statements(node.body))
        self._inside -= 1
        self._scope.pop()
        self._is_truth, self._is_key = outer
        return node

    def visit_Lambda(self, node: ast.Lambda) -> ast.AST:
        self._inside += 1
        node.body = self.visit(node.body)
        self._inside -= 1
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        if node.value:
            node.value = self.visit(node.value)
        return node

    def _statements(self, body: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
        for statement in body:
            yield self.visit(statement)

    def _decorator(self, node: ast.expr) -> ast.expr:
        if not (isinstance(node, ast.Name) and node.id.startswith("retry")):
            return node
        return _call("decorated", self._guard("retry", node.id), node)

    # --- statements ------------------------------------------------------------------------------

    def visit_If(self, node: ast.If) -> ast.AST:
        if not self._inside:
            return node
        text, is_exit = ast.unparse(node.test), isinstance(node.body[-1], _EXITS)
        if is_exit:
            node.test = self._off(self._guard("exit", text), self._test(node.test))
        elif not node.orelse:
            node.test = self._always(self._guard("only", text), self._test(node.test))
        else:
            node.test = self._test(node.test)
        node.body = list(self._statements(node.body))
        node.orelse = list(self._statements(node.orelse))
        return node

    def visit_IfExp(self, node: ast.IfExp) -> ast.AST:
        node.test = self._test(node.test)
        node.body, node.orelse = self.visit(node.body), self.visit(node.orelse)
        return node

    def visit_While(self, node: ast.While) -> ast.AST:
        node.test = self._test(node.test)
        node.body = list(self._statements(node.body))
        return node

    def visit_Return(self, node: ast.Return) -> ast.AST:
        if node.value:
            text = ast.unparse(node.value)
            node.value = self._test(node.value) if self._is_truth else self.visit(node.value)
            if self._is_key and self._module.startswith("domain."):
                node.value = _call("key", self._guard("key", text), node.value)
        return node

    def visit_Assign(self, node: ast.Assign) -> ast.AST:
        is_truth = any(ast.unparse(target).startswith(_TRUTHS) for target in node.targets)
        node.value = self._test(node.value) if is_truth else self.visit(node.value)
        return node

    def visit_Expr(self, node: ast.Expr) -> ast.AST:
        match node.value:
            case ast.Call(func=called) if _last_name(called).lstrip("_").startswith("require"):
                name = self._guard("require", ast.unparse(node.value))
                self.generic_visit(node)
                node.value = _call("required", name, _thunk(node.value))
            case _:
                self.generic_visit(node)
        return node

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> ast.AST:
        if self._inside and node.type:
            name = self._guard("handler", f"except {ast.unparse(node.type)}")
            node.type = _call("types", name, node.type)
        node.body = list(self._statements(node.body))
        return node

    def visit_With(self, node: ast.With) -> ast.AST:
        for item in node.items:
            text, context = ast.unparse(item.context_expr), item.context_expr
            called = _last_name(context.func) if isinstance(context, ast.Call) else ""
            item.context_expr = self.visit(context)
            if called in _MANAGERS:
                name = self._guard("around", text)
                item.context_expr = _call(_MANAGERS[called], name, item.context_expr)
        node.body = list(self._statements(node.body))
        return node

    def visit_match_case(self, node: ast.match_case) -> ast.AST:
        if node.guard:
            name = self._guard("case", ast.unparse(node.guard))
            node.guard = self._always(name, self._test(node.guard))
        node.body = list(self._statements(node.body))
        return node

    # --- expressions -----------------------------------------------------------------------------

    def visit_comprehension(self, node: ast.comprehension) -> ast.AST:
        node.iter = self.visit(node.iter)
        if self._inside:
            node.ifs = [self._filter(each) for each in node.ifs]
        return node

    def _filter(self, condition: ast.expr) -> ast.expr:
        name = self._guard("filter", ast.unparse(condition))
        return self._always(name, self._test(condition))

    def visit_Dict(self, node: ast.Dict) -> ast.AST:
        self.generic_visit(node)
        for place, key in enumerate(node.keys):
            if isinstance(key, ast.Constant) and isinstance(key.value, str):
                node.values[place] = self._argument(key.value, node.values[place])
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        text, called = ast.unparse(node), _last_name(node.func)
        node.func = self.visit(node.func)
        if isinstance(node.func, ast.Attribute) and called == "write_once":
            node.func.value = _call("once", self._guard("once", text), node.func.value)
        node.args = [self.visit(each) for each in node.args]
        node.keywords = [self._keyword(each) for each in node.keywords]
        return node

    def _keyword(self, node: ast.keyword) -> ast.keyword:
        node.value = self.visit(node.value)
        if node.arg in _CONDITIONAL_WRITES and self._inside:
            name = self._guard("argument", f"{node.arg}={ast.unparse(node.value)}")
            return ast.keyword(None, _call("keyword", name, ast.Constant(node.arg), node.value))
        if node.arg:
            node.value = self._argument(node.arg, node.value)
        return node

    def _argument(self, name: str, value: ast.expr) -> ast.expr:
        """The value of a named argument of AWS, or of a member of an answer."""
        if not self._inside:
            return value
        if name == "ConsistentRead":
            return _call("on", self._guard("argument", name))
        if name == "attempts":
            return _call("attempts", self._guard("argument", f"{name}={ast.unparse(value)}"), value)
        if name == "batchItemFailures":
            return _call("failures", self._guard("answer", name), value)
        return value

    def visit_Name(self, node: ast.Name) -> ast.AST:
        if not self._inside or not isinstance(node.ctx, ast.Load):
            return node
        own, name = self._constants, node.id
        if name in own.limits:
            return _call("limit", self._named(f"{own.limits[name]}:limit", "limit"), node)
        if name in own.sets:
            prefix = f"{self._module}:{name}:member"
            return self._members(node, prefix, own.sets[name])
        if name in own.conditions:
            guards = [self._guard("condition", f"{name}, {part}") for part in own.conditions[name]]
            return _call("condition", ast.Tuple(list(guards), ast.Load()), node)
        return node

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        match node:
            case ast.Compare(ops=[ast.In() | ast.NotIn()], comparators=[ast.Set() as these]):
                prefix = (
                    f"{self._module}:{'.'.join(self._scope)}:member {ast.unparse(node.left)} in"
                )
                node.left = self.visit(node.left)
                node.comparators = [self._members(these, prefix, these.elts)]
                return node
        return self.generic_visit(node)

    def _members(self, value: ast.expr, prefix: str, elements: Sequence[ast.expr]) -> ast.expr:
        single = [each for each in elements if not isinstance(each, ast.Starred)]
        names = [self._named(f"{prefix} {ast.unparse(each)}", "member") for each in single]
        known = ast.Dict(keys=list(single), values=list(names))
        return _call("members", value, known)

    # --- conditions ------------------------------------------------------------------------------

    def _test(self, node: ast.expr) -> ast.expr:
        """A condition with a switch for each of its operands."""
        match node:
            case ast.BoolOp(op=ast.And()) if self._inside:
                node.values = [self._operand(each, self._always) for each in node.values]
            case ast.BoolOp() if self._inside:
                node.values = [self._operand(each, self._off) for each in node.values]
            case ast.UnaryOp(op=ast.Not()):
                node.operand = self._test(node.operand)
            case _:
                changed: ast.expr = self.visit(node)
                return changed
        return node

    def _operand(self, node: ast.expr, without: object) -> ast.expr:
        name = self._guard("operand", ast.unparse(node))
        assert callable(without)
        without_it: ast.expr = without(name, self._test(node))
        return without_it

    def _off(self, name: ast.Constant, condition: ast.expr) -> ast.expr:
        """Never true without the guard; a walrus in it is still evaluated."""
        return ast.BoolOp(ast.And(), [condition, _call("on", name)])

    def _always(self, name: ast.Constant, condition: ast.expr) -> ast.expr:
        """Always true without the guard."""
        return ast.BoolOp(ast.Or(), [condition, _call("off", name)])


def _returns(node: ast.FunctionDef, kind: str) -> bool:
    return node.returns is not None and ast.unparse(node.returns) == kind


def _call(function: str, *arguments: ast.expr) -> ast.Call:
    switch = ast.Name(SWITCH, ast.Load())
    return ast.Call(ast.Attribute(switch, function, ast.Load()), list(arguments), [])


def _thunk(body: ast.expr) -> ast.Lambda:
    nothing = ast.arguments([], [], None, [], [], None, [])
    return ast.Lambda(nothing, body)


def _last_name(called: ast.expr) -> str:
    match called:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""
