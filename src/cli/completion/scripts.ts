/**
 * What shells are told: each asks `job-chief completion words -- WORDS…`, the last of which is the one to be completed, and
 * gets lines `value<TAB>what it is`, or `:files` (the names of files), `:nospace` (it may go on).
 */
export const shells = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof shells)[number];

const bash = String.raw`# Completion of job-chief for bash: source <(job-chief completion bash)
_job_chief() {
  local cur=${'$'}{COMP_WORDS[COMP_CWORD]} line name
  COMPREPLY=()
  while IFS= read -r line; do
    case $line in
      :files)
        compopt -o filenames 2>/dev/null
        while IFS= read -r name; do COMPREPLY+=("$name"); done < <(compgen -f -- "$cur") ;;
      :nospace) compopt -o nospace 2>/dev/null ;;
      *)
        line=${'$'}{line%%$'\t'*}
        [[ $line == "$cur"* ]] && COMPREPLY+=("$line") ;;
    esac
  done < <("${'$'}{COMP_WORDS[0]}" completion words -- "${'$'}{COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
  return 0
}
complete -F _job_chief job-chief`;

const zsh = String.raw`#compdef job-chief
# Completion of job-chief for zsh: source <(job-chief completion zsh)
_job_chief() {
  local line
  local -a values more
  while IFS= read -r line; do
    case $line in
      :files) _files ;;
      :nospace) more=(-S '') ;;
      *) values+=("${'$'}{${'$'}{line%%$'\t'*}//:/\\:}:${'$'}{line#*$'\t'}") ;;
    esac
  done < <("${'$'}{words[1]}" completion words -- "${'$'}{(@)words[2,CURRENT]}" 2>/dev/null)
  (( $#values )) && _describe -t values job-chief values $more
}
compdef _job_chief job-chief`;

const fish = String.raw`# Completion of job-chief for fish: job-chief completion fish | source
function __job_chief
    set -l words (commandline -opc) (commandline -ct | string collect --allow-empty)
    for line in ($words[1] completion words -- $words[2..-1] 2>/dev/null)
        switch $line
            case ':files'
                __fish_complete_path (commandline -ct)
            case ':nospace'
            case '*'
                echo $line
        end
    end
end
complete -c job-chief -f -a '(__job_chief)'`;

export const scripts: Readonly<Record<Shell, string>> = { bash, zsh, fish };
