"""The sandbox of post templates. Imports Jinja2: load it only where a text really is a template.

Every loop turn, call, filter and operation is counted, every text that grows is measured before it is made; so a
template stops in bounded time and memory whatever it does, in any thread, without signals.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from jinja2 import FunctionLoader, StrictUndefined, nodes
from jinja2.compiler import CodeGenerator
from jinja2.exceptions import SecurityError
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer

from campaign_cli.i18n import _

STEPS: Final = 20_000  # loop turns, calls, filters and operations of one rendering
SIZE: Final = 200_000  # characters of one text, and of everything written; items of one list
_BIG: Final = 10**15  # no template needs a larger number
# fmt: off
_FILTERS: Final = frozenset((
    "abs", "d", "default", "dictsort", "first", "float", "int", "items", "last", "length", "count", "list", "map",
    "max", "min", "reject", "rejectattr", "select", "selectattr", "sort", "unique", "reverse",
))
_TEXT_FILTERS: Final = frozenset((
    "capitalize", "lower", "string", "title", "trim", "truncate", "upper", "urlencode", "wordcount",
))
_METHODS: Final = frozenset((
    "capitalize", "casefold", "count", "endswith", "find", "get", "index", "isalnum", "isalpha", "isdigit",
    "islower", "isspace", "isupper", "items", "keys", "lower", "lstrip", "partition", "removeprefix",
    "removesuffix", "rfind", "rpartition", "rstrip", "split", "splitlines", "startswith", "strip", "swapcase",
    "title", "upper", "values",
))
# fmt: on


class TooMuch(Exception):
    """A limit was passed; the text says which."""


class _Guarding(NodeTransformer):
    """Puts the counter where Jinja2 offers no hook: into every turn of a loop, into plain text, in place of ``~``."""

    def visit_For(self, node: nodes.For) -> nodes.For:
        self.generic_visit(node)
        turn = nodes.Call(nodes.EnvironmentAttribute("turn"), [], [], None, None)
        node.body.insert(0, nodes.ExprStmt(turn, lineno=node.lineno))
        return node

    def visit_Output(self, node: nodes.Output) -> nodes.Output:
        self.generic_visit(node)
        node.nodes = [_plain(child) if isinstance(child, nodes.TemplateData) else child for child in node.nodes]
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:
        self.generic_visit(node)
        return nodes.Call(nodes.EnvironmentAttribute("concatenate"), node.nodes, [], None, None, lineno=node.lineno)


def _plain(data: nodes.TemplateData) -> nodes.Expr:
    """Plain text of a template as an expression, so that it is counted wherever it is repeated."""
    text = nodes.Const(data.data, lineno=data.lineno)
    return nodes.Call(nodes.EnvironmentAttribute("concatenate"), [text], [], None, None, lineno=data.lineno)


class _Generator(CodeGenerator):
    def visit_Template(self, node: nodes.Template, frame: Any = None) -> None:
        _Guarding().visit(node)
        super().visit_Template(node, frame)


class Sandbox(ImmutableSandboxedEnvironment):
    """The environment. ``read`` gives text and file name of a template; ``begin`` starts the count of one rendering."""

    intercepted_binops = frozenset(["+", "-", "*", "/", "//", "%", "**"])
    code_generator_class = _Generator

    def __init__(
        self, read: Callable[[str], tuple[str, str] | None], *, timer: Callable[[], float], seconds: float
    ) -> None:
        super().__init__(
            loader=FunctionLoader(lambda name: (*found, lambda: True) if (found := read(name)) else None),
            undefined=StrictUndefined,
            finalize=self._written,
            autoescape=False,
            optimized=False,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._timer, self._seconds = timer, seconds
        self.globals = {"range": self._range, "dict": dict, "namespace": self.globals["namespace"]}
        own = {"join": self._join, "replace": self._replace, "indent": self._indent, "round": self._round}
        own |= {"sum": self._sum}
        self.filters = own | {name: self._counted(self.filters[name], name) for name in _FILTERS | _TEXT_FILTERS}
        self.begin()

    def begin(self) -> None:
        """Start counting anew."""
        self._steps = self._size = 0
        self._stop_at = self._timer() + self._seconds

    def turn(self) -> str:
        """One more turn of a loop; counted as a call."""
        return ""

    def concatenate(self, *values: Any) -> str:
        """What ``~`` does."""
        texts = [self._text(value) for value in values]
        self._fits(sum(map(len, texts)))
        return "".join(texts)

    def call(__self, __context: Context, __obj: Any, *args: Any, **kwargs: Any) -> Any:
        """Every call of a template."""
        __self._step()
        return super().call(__context, __obj, *args, **kwargs)

    def is_safe_callable(self, obj: Any) -> bool:
        """Methods that can make no more than they were given; macros and functions of ours."""
        owner = getattr(obj, "__self__", None)
        if isinstance(owner, str | bytes | int | float | list | tuple | dict):
            return obj.__name__ in _METHODS
        return super().is_safe_callable(obj)

    def wrap_str_format(self, value: Any) -> Any:
        """No ``"…".format()``: a width in it makes a text of any length."""
        if isinstance(getattr(value, "__self__", None), str) and value.__name__ in ("format", "format_map"):
            raise SecurityError(value.__name__)
        return None

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Every arithmetic operation, measured before it is done."""
        self._step()
        for one, other in ((left, right), (right, left)):
            if isinstance(one, int | float):
                if abs(one) > _BIG:
                    raise TooMuch(_("a number is too large"))
            elif operator == "*" and isinstance(other, int) and hasattr(one, "__len__"):
                self._fits(len(one) * other)
        if operator == "+" and hasattr(left, "__len__") and hasattr(right, "__len__"):
            self._fits(len(left) + len(right))
        if operator == "**" and abs(right) > 10:
            raise TooMuch(_("a number is too large"))
        if operator == "%" and isinstance(left, str):
            raise SecurityError("% on a text")
        return super().call_binop(context, operator, left, right)

    def _step(self) -> None:
        self._steps += 1
        if self._steps > STEPS:
            raise TooMuch(_("more than {count} steps").format(count=STEPS))
        if self._timer() > self._stop_at:
            raise TooMuch(_("it takes too long"))

    def _fits(self, size: int) -> None:
        if size > SIZE:
            raise TooMuch(_("more than {count} characters").format(count=SIZE))

    def _text(self, value: Any) -> str:
        """A value as text. A list has none: its text is never what a post should say, and can be without end."""
        if value is None:
            return ""
        if isinstance(value, list | tuple | dict | set | frozenset):
            raise TypeError(_("a list can't be written as it is: use join"))
        return str(value)

    def _written(self, value: Any) -> str:
        """Everything that ``{{ … }}`` puts out, also into a variable or a macro."""
        self._step()
        text = self._text(value)
        self._size += len(text)
        self._fits(self._size)
        return text

    def _range(self, *bounds: int) -> range:
        numbers = range(*bounds)
        if len(numbers) > STEPS:
            raise TooMuch(_("more than {count} steps").format(count=STEPS))
        return numbers

    def _counted(self, function: Callable[..., Any], name: str) -> Callable[..., Any]:
        from functools import wraps

        @wraps(function)  # keeps what Jinja2 notes on a filter: whether it wants the context or the environment
        def counted(*args: Any, **kwargs: Any) -> Any:
            self._step()
            if name in _TEXT_FILTERS and any(isinstance(value, list | tuple | dict) for value in args):
                self._text([])
            result = function(*args, **kwargs)
            if isinstance(result, str | list | tuple | dict):
                self._fits(len(result))
            return result

        return counted

    def _join(self, values: Any, separator: str = "", attribute: str | None = None) -> str:
        self._step()
        texts = [self._text(value if attribute is None else self.getitem(value, attribute)) for value in values]
        self._fits(sum(map(len, texts)) + len(str(separator)) * len(texts))
        return str(separator).join(texts)

    def _replace(self, text: Any, old: Any, new: Any) -> str:
        self._step()
        whole, before, after = self._text(text), self._text(old), self._text(new)
        self._fits(len(whole) + whole.count(before) * max(0, len(after) - len(before)))
        return whole.replace(before, after)

    def _round(self, value: float, precision: int = 0) -> float:
        self._step()
        return round(value, precision) if precision else round(value)

    def _sum(self, values: Any, attribute: str | None = None) -> float:
        self._step()
        return sum(float(self.getitem(value, attribute)) if attribute else value for value in values)

    def _indent(self, text: Any, width: int = 4, first: bool = False) -> str:
        self._step()
        lines = self._text(text).split("\n")
        self._fits(sum(map(len, lines)) + len(lines) * (width + 1))
        return "\n".join(
            " " * width + line if line and (first or number) else line for number, line in enumerate(lines)
        )
