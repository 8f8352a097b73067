# SPDX-License-Identifier: Apache-2.0
#
# The table of README.md, from goals.txt and what the benchmarks printed:  awk -f table.awk goals.txt OUTPUT

function verdict(relation, goal, value)
{
    if (relation == "-")
        return ""
    good = relation == "<=" ? value + 0 <= goal + 0 : value + 0 >= goal + 0
    return good ? "reached" : "falls short"
}

FNR == NR && /^[a-z]/ {
    name = $1
    names[++count] = name
    relation[name] = $2
    goal[name] = $2 == "-" ? "" : $3
    sub($2 == "-" ? "^[^ ]+ +[^ ]+ +" : "^[^ ]+ +[^ ]+ +[^ ]+ +", "")
    split($0, halves, / \| /)
    what[name] = halves[1]
    against[name] = halves[2] == "-" ? "" : halves[2]
}

FNR != NR && $1 == "figure" { value[$2] = $3 }

END {
    print "| what | against | figure | goal | |"
    print "|---|---|---|---|---|"
    for (i = 1; i <= count; i++) {
        name = names[i]
        if (name in value)
            printf "| %s | %s | %s | %s | %s |\n", what[name], against[name], value[name],
                goal[name] == "" ? "" : relation[name] " " goal[name], verdict(relation[name], goal[name], value[name])
    }
}
