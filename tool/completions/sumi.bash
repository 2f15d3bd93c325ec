# Completion of the command sumi in bash. The words come from its own help, so that they cannot
# fall behind it.
_sumi() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
    local program=${COMP_WORDS[0]} command=${COMP_WORDS[1]} words=
    COMPREPLY=()
    if ((COMP_CWORD == 1)) || [[ $command == help ]]; then
        words=$("$program" help 2>/dev/null | sed -n '/^commands:/,/^$/s/^  \([a-z]*\) .*/\1/p')
    elif [[ $before == --set && $command == @(train|bench|likelihood|eval) ]]; then
        words=$("$program" recipes --keys 2>/dev/null | sed 's/ .*/=/')
        compopt -o nospace
    elif [[ $before == --solver && $command == invert ]]; then
        words='ddim-inverse dpmpp-inverse'
    elif [[ $before == --solver ]]; then
        words=$("$program" solvers 2>/dev/null | sed '1d; s/ .*//')
    elif [[ $before == --metrics ]]; then
        words=$("$program" eval --list 2>/dev/null | sed 's/^  \([^ ]*\) .*/\1/')
    elif [[ $before == --decoder ]]; then
        words='auto discretised gaussian forward coin'
    elif [[ $before == --rng ]]; then
        words='philox torch'
    elif [[ $before == --precision ]]; then
        words='float32 bf16'
    elif [[ $word == -* ]]; then
        words=$("$program" help "$command" 2>/dev/null | grep -oE -- '^  (-., |    )--[a-z-]+' \
            | grep -oE -- '--[a-z-]+')
    elif [[ $command == @(train|bench|recipes) ]]; then
        words=$("$program" recipes 2>/dev/null | sed 's/^  \([^ ]*\) .*/\1/')
    elif [[ $command == fetch ]]; then
        words='mnist fashion-mnist cifar10 clip-vocabulary emoji'
    fi
    while IFS= read -r found; do COMPREPLY+=("$found"); done < <(compgen -W "$words" -- "$word")
}
complete -o default -F _sumi sumi
