"""YAML that people write: recipes, environments, schedules; with limits, and without code or duplicate keys."""

from typing import Any

import yaml

from components.artifacts import storage
from components.artifacts.errors import SourceError, UsageError
from components.artifacts.plaintext import decoded

MAXIMUM_CHARACTERS = 1_000_000
MAXIMUM_VALUES = 20_000
"""How many values a file may hold, counting an alias's each time it is used."""
MAXIMUM_DEPTH = 50


def read_yaml(path: str, name: str) -> Any:
    """The values of a YAML file, `~` as a home directory; raises as `load_yaml`, also if it can't be read."""
    try:
        return load_yaml(decoded(storage.user_path(path).read_bytes(), name), name)
    except OSError as error:
        raise UsageError(f"{name}: can't be read: {error.strerror or error}") from None
    except SourceError as error:
        raise UsageError(str(error)) from None


def load_yaml(text: str, place: str) -> Any:
    """The values of a YAML text; errors call it `place`.

    Raises:
        UsageError: it is not YAML, exceeds a limit, or has a key twice; one line that says where.
    """
    if len(text) > MAXIMUM_CHARACTERS:
        raise UsageError(f"{place}: more than {MAXIMUM_CHARACTERS:,} characters, which is more than any settings need")
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        if node is None:
            return None
        # Before the values are built: merging keys copies what aliases name.
        _values_in(node, {}, 0, place)
        return loader.construct_document(node)
    except yaml.YAMLError as error:
        raise UsageError(f"{place}: not valid YAML{_where(error)}: {_problem(error)}") from None
    except ValueError as error:  # an invalid date, an endless number
        raise UsageError(f"{place}: not valid YAML: {' '.join(str(error).split())[:120]}") from None
    except RecursionError:
        raise UsageError(f"{place}: nested more than {MAXIMUM_DEPTH} deep") from None


class _Loader(yaml.SafeLoader):
    """Stops at values that are nested too deep: the time that PyYAML takes grows with the square of the depth."""

    _depth = -1

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """The node that begins here."""
        self._depth += 1
        if self._depth > MAXIMUM_DEPTH:
            raise RecursionError
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node


def _values_in(node: yaml.Node, known: dict[int, int], depth: int, place: str) -> int:
    """How many values a node holds, counting what aliases repeat; `known` has those already counted."""
    if depth > MAXIMUM_DEPTH:
        raise UsageError(f"{place}: nested more than {MAXIMUM_DEPTH} deep, or within itself")
    if id(node) in known:
        return known[id(node)]
    children: list[yaml.Node] = []
    if isinstance(node, yaml.MappingNode):
        _refuse_repeated_keys(node, place)
        children = [part for pair in node.value for part in pair]
    elif isinstance(node, yaml.SequenceNode):
        children = node.value
    count = 1
    for child in children:
        count += _values_in(child, known, depth + 1, place)
        if count > MAXIMUM_VALUES:
            raise UsageError(f"{place}: more than {MAXIMUM_VALUES:,} values, including those that its aliases repeat")
    known[id(node)] = count
    return count


def _refuse_repeated_keys(node: yaml.MappingNode, place: str) -> None:
    seen: set[str] = set()
    for key, _ in node.value:
        if isinstance(key, yaml.ScalarNode) and key.tag != "tag:yaml.org,2002:merge":
            if key.value in seen:
                raise UsageError(f"{place}: {key.value!r} is given twice, again at line {key.start_mark.line + 1}")
            seen.add(key.value)


def _where(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    return f" at line {mark.line + 1}" if mark else ""


def _problem(error: yaml.YAMLError) -> str:
    said = getattr(error, "problem", None) or getattr(error, "reason", None) or "see its syntax"
    return " ".join(str(said).split())
