export type Shell = "bash" | "zsh" | "fish";

/*
 * Each script asks the program what may stand at the cursor and prints nothing itself: what goes wrong goes to
 * /dev/null, since the person is in the middle of a line. The first line of the answer says what to do, the others are
 * candidates: src/completion/format-offer.ts.
 */

/** Works from bash 3.2 on, which macOS has: no mapfile, and compopt only where there is one. */
const BASH = String.raw`# Completion of openclaw for bash. Put this line into ~/.bashrc:
#   eval "$(openclaw completion bash)"
_openclaw() {
  local line what=none
  COMPREPLY=()
  while IFS= read -r line; do
    if [[ $what == none ]]; then what=$line; else COMPREPLY+=("$line"); fi
  done < <(command openclaw complete bash -- "$COMP_WORDBREAKS" "\${COMP_LINE:0:COMP_POINT}" 2>/dev/null </dev/null)
  case $what in
    files)
      if ! compopt -o default 2>/dev/null; then
        while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen -f -- "$2")
      fi
      ;;
    nospace) compopt -o nospace 2>/dev/null ;;
  esac
  return 0
}
complete -F _openclaw openclaw
`;

const ZSH = String.raw`#compdef openclaw
# Completion of openclaw for zsh. Put this line into ~/.zshrc:
#   eval "$(openclaw completion zsh)"
_openclaw() {
  local -a answer whole parts
  local line
  answer=("\${(@f)$(command openclaw complete zsh -- "\${(@Q)words[2,CURRENT-1]}" "\${(Q)PREFIX}" 2>/dev/null </dev/null)}")
  if [[ $answer[1] == files ]]; then
    compset -P '*='
    _files
    return
  fi
  for line in "\${(@)answer[2,-1]}"; do
    if [[ $line == -* ]]; then parts+=("\${line#-}"); else whole+=("\${line# }"); fi
  done
  local -i found=1
  (( $#whole )) && _describe -t values openclaw whole && found=0
  (( $#parts )) && _describe -t values openclaw parts -S '' && found=0
  return found
}
if (( ! $+functions[compdef] )); then autoload -Uz compinit && compinit -i; fi
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then _openclaw "$@"; else compdef _openclaw openclaw; fi
`;

const FISH = String.raw`# Completion of openclaw for fish. Write it to a file once:
#   mkdir -p ~/.config/fish/completions && openclaw completion fish > ~/.config/fish/completions/openclaw.fish
function __openclaw_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l answer (command openclaw complete fish -- $words[2..-1] "$current" 2>/dev/null </dev/null)
    if test "$answer[1]" = files
        set -l before (string match -r -- '^--[^=]*=' "$current")
        for path in (__fish_complete_path (string replace -r -- '^--[^=]*=' '' "$current"))
            echo -- "$before$path"
        end
        return
    end
    for line in $answer[2..-1]
        echo -- $line
    end
end
complete -c openclaw -f -a '(__openclaw_complete)'
`;

/** The script that makes a shell complete the commands of this program. */
export function completionScript(shell: Shell): string {
  const script = { bash: BASH, zsh: ZSH, fish: FISH }[shell];
  // A raw template keeps the backslash that hides a dollar sign and its brace from JavaScript.
  return script.replaceAll("\\${", "${");
}
