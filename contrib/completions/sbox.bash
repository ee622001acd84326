# Completion of sbox for bash: what may come next is asked of `sbox complete`.

_sbox() {
  local line=${COMP_LINE:0:COMP_POINT} word text
  local -a words
  read -ra words <<<"$line"
  [[ $line == *[[:space:]] ]] && words+=("")
  local current=${words[-1]}
  # bash replaces only what is after the last =.
  local kept=""
  [[ $current == *=* && $COMP_WORDBREAKS == *=* ]] && kept=${current%=*}=
  while IFS= read -r text; do
    case $text in
      :files)
        compopt -o filenames
        while IFS= read -r word; do COMPREPLY+=("$word"); done < <(compgen -f -- "$current")
        ;;
      ":program "*) _sbox_program "${text#:program }" ;;
      ?*) word=${text%%$'\t'*} && COMPREPLY+=("${word#"$kept"}") ;;
    esac
  done < <("${words[0]}" complete "${words[@]:1}" 2>/dev/null)
  [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *= ]] && compopt -o nospace
}

# After $1 words a command line of its own begins. Uses `words` and `current` of its caller.
_sbox_program() {
  local word
  local -i at=1 n
  if ((${#words[@]} == $1 + 2)); then
    while IFS= read -r word; do COMPREPLY+=("$word"); done < <(compgen -c -- "$current")
    return
  fi
  # bash splits words at = too, so its own counting is another.
  for ((n = 1; n <= $1; ++n)); do
    word=${words[n]}
    while [[ -n $word ]] && ((at < COMP_CWORD)); do
      word=${word#"${COMP_WORDS[at]}"}
      at+=1
    done
  done
  declare -F _command_offset >/dev/null && _command_offset "$at"
}

complete -o default -F _sbox sbox
