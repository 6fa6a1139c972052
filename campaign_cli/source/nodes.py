"""YAML text → plain values with the meanings of YAML 1.2's core schema, and the place of every value.

libyaml's composer does the reading (PyYAML's own parser where libyaml is missing); the meanings are ours, because
PyYAML's are those of YAML 1.1, where ``19:30`` is a number, ``no`` a truth value and ``2026-12-10`` a date.
Core schema: https://yaml.org/spec/1.2.2/#103-core-schema
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Callable
from typing import Any, Final

import yaml
from yaml.composer import Composer
from yaml.nodes import MappingNode, ScalarNode
from yaml.parser import Parser
from yaml.reader import Reader
from yaml.scanner import Scanner

from campaign_cli.collector import collector_paused
from campaign_cli.i18n import _

MAX_DEPTH: Final = 32
"""Lists and mappings inside each other; a plan needs eight."""
MAX_ALIASED: Final = 10_000
"""Values that all aliases (``*name``) of a file may stand for together."""
COLUMN_BITS: Final = 24  # a file has at most 16 MiB, so a column fits

_CORE: Final = re.compile(
    r"(?P<null>~|null|Null|NULL|)|(?P<true>true|True|TRUE)|(?P<false>false|False|FALSE)"
    r"|(?P<int>[-+]?[0-9]+)|(?P<oct>0o[0-7]+)|(?P<hex>0x[0-9a-fA-F]+)"
    r"|(?P<float>[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?)"
    r"|(?P<inf>[-+]?\.(?:inf|Inf|INF))|(?P<nan>\.(?:nan|NaN|NAN))"
)
_STARTS: Final = frozenset("~nNtTfF+-.0123456789")  # how a plain scalar that is not text can begin
_TEXT_TAG: Final = "tag:yaml.org,2002:str"

Report = Callable[[int, str, str, str], None]
"""Called with packed position, code, message and fix for each finding."""


class TooDeep(Exception):
    """Nesting beyond ``MAX_DEPTH``, found while the text was read; where, as line and column from 0."""

    def __init__(self, line: int, column: int) -> None:
        super().__init__()
        self.line, self.column = line, column


class _Meanings:
    """What both parsers ask while they compose: here only "is it plain?" and "how deep are we?"."""

    depth = 0

    def resolve(self, kind: type, value: object, implicit: Any) -> Any:
        """True for a plain scalar and for collections, False for quoted and block text."""
        return implicit[0] if kind is ScalarNode else True

    def descend_resolver(self, parent: Any, index: object) -> None:
        """One level down. The C composer recurses on the C stack, so the bound must hold while it reads."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise TooDeep(parent.start_mark.line, parent.start_mark.column)

    def ascend_resolver(self) -> None:
        """One level up."""
        self.depth -= 1


class PurePythonComposer(Reader, Scanner, Parser, _Meanings, Composer):
    """PyYAML's own parser: the same result, slower."""

    def __init__(self, text: str) -> None:
        Reader.__init__(self, text)
        Scanner.__init__(self)
        Parser.__init__(self)
        Composer.__init__(self)


def composer() -> Callable[[str], Any]:
    """The class that reads a text into nodes: libyaml's where it is there."""
    if not yaml.__with_libyaml__:
        return PurePythonComposer
    from yaml._yaml import CParser

    class LibyamlComposer(_Meanings, CParser):
        """libyaml."""

    return LibyamlComposer


def read_values(text: str, *, report: Report, compose: Callable[[str], Any] | None = None) -> tuple[Any, array[int]]:
    """The values of a YAML text, and the packed position of each key and value in the order they are written.

    Raises yaml.YAMLError for what is not YAML, TooDeep.
    """
    with collector_paused():  # collecting the node tree again and again costs four times the reading
        root = (compose or composer())(text).get_single_node()
        builder = _Builder(report)
        value = None if root is None else builder.value(root, 0)
        return value, builder.positions


def core_value(text: str) -> Any:
    """A plain scalar by the core schema: null, truth value, number, or the text itself."""
    match = _CORE.fullmatch(text)
    if match is None:
        return text
    simple: dict[str, Any] = {"null": None, "true": True, "false": False, "nan": float("nan")}
    kind = str(match.lastgroup)
    if kind in simple:
        return simple[kind]
    if kind == "inf":
        return float("-inf" if text.startswith("-") else "inf")
    if kind == "float":
        return float(text)
    if len(text) > 400:  # int() of endless digits is slow and no plan means it
        return text
    return int(text, {"int": 10, "oct": 8, "hex": 16}[kind])


def pack(line: int, column: int) -> int:
    """A position (both from 0) as one number."""
    return line << COLUMN_BITS | column


class _Builder:
    """Nodes → values. Each key and each value appends its position, so that a path can be located later by counting."""

    def __init__(self, report: Report) -> None:
        self.positions: array[int] = array("q")
        self._report = report
        self._words: dict[str, str] = {}  # plain keys: one object for each, however often it is written
        self._seen: set[int] = set()
        self._open: set[int] = set()
        self._aliased = 0
        self._limit: int | None = None  # positions allowed while an alias is being followed

    def value(self, node: Any, depth: int) -> Any:
        """The plain value of a node."""
        mark = node.start_mark
        self.positions.append(mark.line << COLUMN_BITS | mark.column)
        tag = node.tag
        if node.__class__ is not ScalarNode:
            return self._collection(node, depth)
        text = node.value
        if tag is False or (tag is True and text and text[0] not in _STARTS):
            return text
        if tag is True:
            return core_value(text)
        self._refuse_tag(node)
        return text

    def _collection(self, node: Any, depth: int) -> Any:
        """A list or mapping; one met before is an alias, whose expansion is counted."""
        if node.tag is not True:
            self._refuse_tag(node)
        identity = id(node)
        if self._refused(node, identity, depth):
            return None
        started = self._limit is None and identity in self._seen
        before = len(self.positions)
        if started:
            self._limit = before + MAX_ALIASED - self._aliased
        self._seen.add(identity)
        self._open.add(identity)
        built: Any
        if node.__class__ is MappingNode:
            built = self._mapping(node, depth)
        else:
            built = [self.value(item, depth + 1) for item in node.value]
        self._open.discard(identity)
        if started:
            self._limit = None
            self._aliased += len(self.positions) - before
        return built

    def _refused(self, node: Any, identity: int, depth: int) -> bool:
        if identity in self._open:
            self._say(node, "P010", _("This alias contains itself."), _("Write the values out instead of an alias."))
        elif self._limit is not None and len(self.positions) >= self._limit:
            if self._aliased <= MAX_ALIASED:  # said once
                message = _("The aliases (*name) of this file stand for more than {count} values.")
                self._say(node, "P010", message.format(count=MAX_ALIASED), _("Write the values out instead."))
            self._aliased = MAX_ALIASED + 1
        elif depth > MAX_DEPTH:  # only through aliases; else the composer has stopped before
            self._say(node, "P011", _("This is nested too deeply."), _("Write it flatter."))
        else:
            return False
        return True

    def _mapping(self, node: Any, depth: int) -> dict[str, Any]:
        result: dict[str, Any] = {}
        positions, words = self.positions, self._words
        for key_node, value_node in node.value:
            key = words.get(key_node.value) if key_node.tag is True and key_node.__class__ is ScalarNode else None
            if key is None:
                key = self._key(key_node)
                if key is None:
                    continue
            if key in result:
                self._say(
                    key_node,
                    "P008",
                    _('The key "{key}" is written twice.').format(key=key),
                    _("Keep one of the two; the first is used in this check."),
                )
                continue
            mark = key_node.start_mark
            positions.append(mark.line << COLUMN_BITS | mark.column)
            result[key] = self.value(value_node, depth + 1)
        return result

    def _key(self, node: Any) -> str | None:
        """The key as text, or None after reporting why it can't be one."""
        text, tag = node.value, node.tag
        if node.__class__ is ScalarNode and tag is True:
            if text == "<<":
                message = _('Merge keys ("<<") are not part of YAML 1.2.')
                self._say(node, "P013", message, _("Write the keys out, or give the whole value with *name."))
                return None
            if text and (text[0] not in _STARTS or core_value(text).__class__ is str):
                return self._words.setdefault(text, text)
        elif node.__class__ is ScalarNode:
            if tag is not False:
                self._refuse_tag(node)
            return str(text)
        shown = text if node.__class__ is ScalarNode and text else _("this")
        message = _("A key must be text, and {shown} is not.").format(shown=shown)
        self._say(node, "P009", message, _('Put it in quotes, like "{shown}":.').format(shown=shown))
        return None

    def _refuse_tag(self, node: Any) -> None:
        if node.tag == _TEXT_TAG and node.__class__ is ScalarNode:
            return
        shown = str(node.tag).replace("tag:yaml.org,2002:", "!!")
        message = _("Tags such as {tag} are not allowed here.").format(tag=shown)
        self._say(node, "P012", message, _("Write the plain value."))

    def _say(self, node: Any, code: str, message: str, fix: str) -> None:
        mark = node.start_mark
        self._report(pack(mark.line, mark.column), code, message, fix)
