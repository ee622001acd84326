# Completion of sbox for fish: what may come next is asked of `sbox complete`.

function __sbox_complete
    set -l words (commandline -opc)
    set -l sbox $words[1]
    set -e words[1]
    set -l current (commandline -ct)
    for line in ($sbox complete $words "$current" 2>/dev/null)
        switch $line
            case :files
                __fish_complete_path "$current"
            case ':program *'
                set -l at (math (string replace ':program ' '' -- $line) + 1)
                if test (count $words) -ge $at
                    complete -C (string join ' ' -- (string escape -- $words[$at..-1]) "$current")
                else
                    complete -C "$current"
                end
            case '*'
                printf '%s\n' $line
        end
    end
end

complete -c sbox -f -a '(__sbox_complete)'
