"""Tab completion: a script for the shell, made from the command line's own parser, so that a TAB starts no Python."""

import argparse
import shlex
from collections.abc import Iterator, Mapping
from typing import Any, Literal, get_args, get_origin

from components.steps import STAGES
from pipelines.build.environment import environment_names
from pipelines.inputs.settings import recipe_names

SHELLS = ("bash", "zsh")
_NAMES_A_RUN = {"RUN", "URI|RUN", "WHAT"}
_SCRIPT = """\
# Tab completion of quillflow, made by: quillflow completion {shell}
{first}_quillflow() {{
    local current="${{COMP_WORDS[COMP_CWORD]}}" previous="${{COMP_WORDS[COMP_CWORD-1]}}" before=
    local command=quillflow offers= word
    # In stage.setting=value and --flag=value "=" is a word of its own in bash, and a part of one in zsh.
    if [[ $current == "=" ]]; then current=; fi
    if [[ $previous == "=" ]]; then previous="${{COMP_WORDS[COMP_CWORD-2]}}"; fi
    if [[ $current == *=* ]]; then previous="${{current%%=*}}" before="${{current%%=*}}=" current="${{current#*=}}"; fi
    for word in "${{COMP_WORDS[@]:1:$((COMP_CWORD-1))}}"; do
        case "$command $word" in
            {commands}) command="$command $word" ;;
        esac
    done
    case "$command $previous" in
{values}
        *) case "$command" in
{words}
        esac ;;
    esac
    COMPREPLY=($(compgen -W "$offers" -- "$current"))
    COMPREPLY=("${{COMPREPLY[@]/#/$before}}")
    if [[ ${{COMPREPLY[0]}} == *= ]]; then compopt -o nospace 2>/dev/null; fi
}}
_quillflow_runs() {{ ls runs 2>/dev/null | grep -v '^logs$'; }}
complete -o default -F _quillflow quillflow
"""


def script(parser: argparse.ArgumentParser, shell: str) -> str:
    """The completion script for one of SHELLS; it offers file names if nothing else is known."""
    commands = dict(_commands("quillflow", parser))
    values = {name: words for path, command in commands.items() for name, words in _values(path, command).items()}
    for stage in STAGES.values():
        for name, field in stage.settings.model_fields.items():
            if choices := _choices_of(field.annotation):
                values[f"*' {stage.name}.{name}'"] = " ".join(choices)
    return _SCRIPT.format(
        shell=shell,
        first="autoload -U +X bashcompinit && bashcompinit\n" if shell == "zsh" else "",
        commands="|".join(shlex.quote(path) for path in commands if path != "quillflow"),
        values=_cases(values),
        words=_cases({shlex.quote(path): _words(command) for path, command in commands.items()}, indent=12),
    )


def _commands(path: str, parser: argparse.ArgumentParser) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """Each command's parser by its path, such as `quillflow artifacts ls`."""
    yield path, parser
    for action in _actions(parser):
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001 -- argparse has no public name for it
            for name, command in action.choices.items():
                yield from _commands(f"{path} {name}", command)


def _words(parser: argparse.ArgumentParser) -> str:
    """The words of a command: its commands, the values of arguments without a flag, its flags."""
    words = [words for action in _actions(parser) if not action.option_strings and (words := _values_of(action))]
    flags = [flag for action in _actions(parser) for flag in action.option_strings if flag.startswith("--")]
    return " ".join([*words, *flags])


def _values(path: str, parser: argparse.ArgumentParser) -> Mapping[str, str]:
    """What may follow each flag, by the pattern of command and flag."""
    return {
        shlex.quote(f"{path} {flag}"): words
        for action in _actions(parser)
        for flag in action.option_strings
        if (words := _values_of(action))
    }


def _values_of(action: argparse.Action) -> str:
    if action.choices:
        return " ".join(map(str, action.choices))
    if action.dest == "assignments":
        return " ".join(f"{stage.name}.{name}=" for stage in STAGES.values() for name in stage.settings.model_fields)
    if action.dest == "recipe" or action.metavar == "RECIPE":
        return " ".join(recipe_names())
    if action.dest == "environment":
        return " ".join(environment_names())
    if action.metavar in _NAMES_A_RUN:
        return "$(_quillflow_runs)"
    metavar = str(action.metavar or "")
    return metavar[1:-1].replace(",", " ") if metavar.startswith("{") else ""


def _choices_of(annotation: Any) -> list[str]:
    if annotation is bool:
        return ["true", "false"]
    return [str(choice) for choice in get_args(annotation)] if get_origin(annotation) is Literal else []


def _cases(words: Mapping[str, str], indent: int = 8) -> str:
    return "\n".join(f'{" " * indent}{pattern}) offers="{text}" ;;' for pattern, text in words.items())


def _actions(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    return parser._actions  # noqa: SLF001 -- argparse has no public way to ask
