# Prints the targets of a Makefile with the words behind their ##, grouped by the ##@ headings.
BEGIN { FS = ":.*## " }
/^##@ / { printf "\n%s\n", substr($0, 5) }
/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $1, $2 }
