"""Completion scripts for bash, zsh and fish, written from the registry: they start no process while one types."""

from workbench.backends.cloudflare.catalogue import names

from . import MODULES, Operation, all_operations


def script(shell: str) -> str:
    """The script for a shell."""
    return {"bash": _bash, "zsh": _zsh, "fish": _fish}[shell](all_operations())


GLOBAL_FLAGS = (
    "--project",
    "--worker",
    "--env",
    "--persist-to",
    "--local",
    "--remote",
    "--server",
    "--bridge",
    "--json",
    "--raw",
    "--help",
    "--version",
)
_FILE_TYPES = ("file", "path")
_NAME_OF_THE_API = (("api", "get"), ("api", "run"))
"""Commands whose word is an operation of the Cloudflare API."""


def _api() -> str:
    """Their names, once in a script: 2,700 of them."""
    return " ".join(one.name for one in names())


def _tree(operations: list[Operation]) -> dict[tuple[str, ...], list[str]]:
    """What may follow each beginning of a command."""
    tree: dict[tuple[str, ...], list[str]] = {(): [*MODULES, "demo", "serve"]}
    for operation in operations:
        for depth in range(1, len(operation.words)):
            following = tree.setdefault(operation.words[:depth], [])
            if operation.words[depth] not in following:
                following.append(operation.words[depth])
    return tree


def _flags(operation: Operation) -> list[str]:
    own = [parameter.flag for parameter in operation.parameters if not parameter.positional]
    return [*own, *(f"{p.flag}-json" for p in operation.parameters if p.type == "value")]


def _choices(operation: Operation) -> list[str]:
    """Words that may follow a complete command: the choices of its positional parameters."""
    return [choice for p in operation.parameters if p.positional for choice in p.choices]


def _case(operations: list[Operation]) -> str:
    """The branches of a shell `case` over the words so far: what may come next."""
    lines = []
    for words, following in _tree(operations).items():
        lines.append(f'    "{" ".join(words)}") next="{" ".join(following)}" ;;')
    for words in _NAME_OF_THE_API:
        lines.append(f'    "{" ".join(words)}") next="$_cfwb_api $globals" ;;')
    for operation in operations:
        following = [*_choices(operation), *_flags(operation)]
        lines.append(f'    "{" ".join(operation.words)}"*) next="{" ".join(following)} $globals" files=1 ;;')
    return "\n".join(lines)


def _valued(operations: list[Operation]) -> str:
    """Every flag that a value follows, which is not for us to guess."""
    flags = {flag for op in operations for flag in _flags(op) if flag not in _bare(op)}
    return " ".join(
        sorted(flags | {"--project", "--worker", "--env", "--persist-to", "--server", "--bridge"})
    )


def _bare(operation: Operation) -> set[str]:
    return {p.flag for p in operation.parameters if p.type == "boolean"}


# Words of the command so far, without flags, their values and what follows the verb.
_WORDS = """\
  local words="" next="" files="" globals="{globals}" word previous="" skip=""
  for word in "${{before[@]}}"; do
    previous="$word"
    if [ -n "$skip" ]; then skip=""; continue; fi
    case "$word" in
      --project|--worker|--env|--persist-to|--server|--bridge) skip=1 ;;
      -*) ;;
      *) words="${{words:+$words }}$word" ;;
    esac
  done
  case "$words" in
{case}
  esac
  case " {valued} " in
    *" $previous "*) next="" files=1 globals="" ;;
  esac
"""


def _shared(operations: list[Operation]) -> str:
    return _WORDS.format(globals=" ".join(GLOBAL_FLAGS), case=_case(operations), valued=_valued(operations))


def _bash(operations: list[Operation]) -> str:
    body = _shared(operations)
    return f"""\
# cfwb completion for bash: eval "$(cfwb completion bash)"
_cfwb_api="{_api()}"
_cfwb() {{
  local current="${{COMP_WORDS[COMP_CWORD]}}" before=("${{COMP_WORDS[@]:1:COMP_CWORD-1}}")
{body}  case "$current" in
    -*) COMPREPLY=($(compgen -W "$next $globals" -- "$current")) ;;
    *) COMPREPLY=($(compgen -W "$next" -- "$current")) ;;
  esac
}}
complete -o default -F _cfwb cfwb
"""


def _zsh(operations: list[Operation]) -> str:
    body = _shared(operations)
    return f"""\
#compdef cfwb
# cfwb completion for zsh: source <(cfwb completion zsh)
typeset -g _cfwb_api="{_api()}"
_cfwb() {{
  local -a before
  before=("${{(@)words[2,CURRENT-1]}}")
  _cfwb_next
}}
_cfwb_next() {{
{body}  if [[ -n "$next" ]]; then compadd -- ${{=next}}; fi
  if [[ "$PREFIX" == -* ]]; then compadd -- ${{=globals}}; elif [[ -n "$files" ]]; then _files; fi
}}
compdef _cfwb cfwb
"""


def _fish(operations: list[Operation]) -> str:
    lines = [
        "# cfwb completion for fish: cfwb completion fish | source",
        "function __cfwb_words",
        "    set -l skip 0",
        "    for word in (commandline -opc)[2..-1]",
        "        if test $skip = 1; set skip 0; continue; end",
        "        switch $word",
        "            case --project --worker --env --persist-to --server --bridge; set skip 1",
        "            case '-*'",
        "            case '*'; echo $word",
        "        end",
        "    end",
        "end",
        "function __cfwb_at",
        "    set -l words (string join ' ' (__cfwb_words))",
        '    test "$words" = "$argv"',
        "end",
        "function __cfwb_in",
        "    set -l words (string join ' ' (__cfwb_words))",
        '    string match -q -- "$argv*" "$words"',
        "end",
        "complete -c cfwb -f",
        f"set -g __cfwb_api {_api()}",
        *(
            f"complete -c cfwb -n '__cfwb_at {' '.join(words)}' -a '$__cfwb_api'"
            for words in _NAME_OF_THE_API
        ),
    ]
    summaries = {operation.words: operation.summary for operation in operations}
    for words, following in _tree(operations).items():
        for word in following:
            text = summaries.get((*words, word), "")
            lines.append(f"complete -c cfwb -n '__cfwb_at {' '.join(words)}' -a {word} -d {_quoted(text)}")
    for operation in operations:
        condition = f"-n '__cfwb_in {' '.join(operation.words)}'"
        for parameter in operation.parameters:
            if parameter.positional:
                lines += [f"complete -c cfwb {condition} -a {choice}" for choice in parameter.choices]
                continue
            needs = "" if parameter.type == "boolean" else " -rF" if parameter.type in _FILE_TYPES else " -x"
            lines.append(
                f"complete -c cfwb {condition} -l {parameter.flag[2:]}{needs} -d {_quoted(parameter.help)}"
            )
    for flag in GLOBAL_FLAGS:
        needs = (
            " -rF"
            if flag in ("--project", "--persist-to")
            else " -x"
            if flag in ("--worker", "--env")
            else ""
        )
        lines.append(f"complete -c cfwb -l {flag[2:]}{needs}")
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
