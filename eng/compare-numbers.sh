#!/bin/bash
# Builds and runs eng/Numbers of two checkouts, one after the other, and prints the quantities that differ: do numbers move between them?
set -uo pipefail

usage() {
  cat <<'TEXT'
Usage: compare-numbers.sh [--reports FOLDER] [--dump] CHECKOUT CHECKOUT [GROUP...]
  CHECKOUT           a folder with a commit of this repository, such as one that `git worktree add` made
  GROUP              text, training, onnx, images, networks or pipelines; all of them where none is named
  --reports FOLDER   where reports (a.txt, b.txt) and build logs go; a new temporary folder where not given
  --dump             also keep the bytes of every quantity, in a.dump and b.dump beside the reports
Each line that is printed is a quantity that differs: its name and its first values in both. Reports of different processors do not
compare: other instructions round otherwise.
Where the library's names differ, the files of eng/Numbers/Library do too; a checkout from before this program needs a copy of it.
Exit status: 0 nothing differs, 1 something does or a program tells of a fault, 2 there is no comparison.
TEXT
}

fail() {
  echo "$1" >&2
  exit 2
}

checkouts=() groups=() reports='' dumps=false
while (( $# > 0 )); do
  case $1 in
    -h | --help) usage; exit 0 ;;
    --reports)
      (( $# > 1 )) || fail '--reports needs a folder.'
      reports=$2
      shift
      ;;
    --dump) dumps=true ;;
    text | training | onnx | images | networks | pipelines) groups+=("$1") ;;
    *)
      [[ -d $1 ]] || fail "'$1' is neither a folder nor a group. See --help."
      checkouts+=("$(cd "$1" && pwd)")
      ;;
  esac
  shift
done
if (( ${#checkouts[@]} != 2 )); then
  usage >&2
  exit 2
fi

for checkout in "${checkouts[@]}"; do
  [[ -f $checkout/eng/Numbers/Numbers.csproj ]] \
    || fail "$checkout has no eng/Numbers. Copy the other checkout's, and bring the files of its Library folder to this one's names."
done

reports=${reports:-$(mktemp -d)}
mkdir -p "$reports" && reports=$(cd "$reports" && pwd) || exit 2

# Programs of two commits may differ: what one of them does not know comes out as missing lines.
others=$(diff -rq -x Library -x Numbers.csproj -x bin -x obj "${checkouts[0]}/eng/Numbers" "${checkouts[1]}/eng/Numbers")
[[ -n $others ]] && printf 'Note: the programs differ outside of Library:\n%s\n' "$others" >&2

# Both read the same data. The models Tales and Shapes are each checkout's own.
data=${checkouts[0]}/tests/data

# Where other work takes the processors, threads that spin while they wait for each other cost most of the time. This changes no number.
export OMP_WAIT_POLICY=passive GOMP_SPINCOUNT=0

faults=0
run() { # CHECKOUT NAME
  local checkout=$1 report=$reports/$2.txt log=$reports/$2.log program status
  local options=(--data "$data")
  rm -rf "$report" "$reports/$2.dump"
  $dumps && options+=(--dump "$reports/$2.dump")
  cd "$checkout" || exit 2
  echo "$checkout: $(git log -1 --format=%h 2> /dev/null || echo 'no commit'), building" >&2
  if ! dotnet build eng/Numbers -c Release --nologo -v quiet > "$log" 2>&1; then
    grep -i error "$log" | sort -u | head -40 >&2
    fail "$checkout does not build; see $log."
  fi
  program=$(dotnet msbuild eng/Numbers -p:Configuration=Release -getProperty:TargetPath) || exit 2
  dotnet "$program" "$report" "${options[@]}" ${groups[@]+"${groups[@]}"} >&2
  status=$?
  [[ -s $report ]] || fail "$checkout: the program ended with $status and without a report."
  if (( status != 0 )); then
    faults=1
  fi
}

run "${checkouts[0]}" a
run "${checkouts[1]}" b

LC_ALL=C awk -F '\t' -v a="${checkouts[0]}" -v b="${checkouts[1]}" '
  NR == FNR { hash[$1] = $2; values[$1] = $3; next }
  !($1 in hash) { print $1 "\tonly in " b ": " $3; differ++; next }
  { seen[$1] = 1 }
  hash[$1] == $2 && values[$1] == $3 { equal++; next }
  { print $1 "\t" values[$1] "\t" $3; differ++ }
  END {
    for (name in hash) if (!(name in seen)) { print name "\tonly in " a ": " values[name]; differ++ }
    printf "%d equal, %d differ\n", equal, differ > "/dev/stderr"
    exit differ > 0
  }' "$reports/a.txt" "$reports/b.txt" 2> "$reports/summary" | LC_ALL=C sort
differs=${PIPESTATUS[0]}
cat "$reports/summary"
echo "Reports are in $reports" >&2
(( faults == 0 && differs == 0 ))
