#!/usr/bin/env bash
# Two "hosts" on one machine, as root: two network namespaces joined by a pair of virtual devices, each with its own loopback and host name.
# Open MPI's mpirun starts in the first and reaches the second by an agent in ssh's place. Nothing leaves the namespaces: they have no route
# out.
#   eng/two-hosts.sh PROGRAM [arguments]      runs PROGRAM with one rank a host
# RATE=1gbit makes the wire slower, CUT=SECONDS cuts it after that time, MPIRUN_ARGS are more of mpirun's.
set -euo pipefail
first="mpi-a-$$" second="mpi-b-$$"
agent=$(mktemp)
hosts=$(mktemp)
cleanup() {
  ip netns del "$first" 2>/dev/null || true
  ip netns del "$second" 2>/dev/null || true
  rm -f "$agent" "$hosts"
}
trap cleanup EXIT
ip netns add "$first"
ip netns add "$second"
ip link add wire netns "$first" type veth peer name wire netns "$second"
number=1
for namespace in "$first" "$second"; do
  ip -n "$namespace" addr add "10.99.0.$number/24" dev wire
  ip -n "$namespace" link set wire up
  ip -n "$namespace" link set lo up
  if [ -n "${RATE:-}" ]; then
    tc -n "$namespace" qdisc add dev wire root tbf rate "$RATE" burst 256kb latency 50ms
  fi
  number=$((number + 1))
done

# The agent is called as "agent HOST command...", as ssh is; a UTS namespace of its own gives the host its name.
cat > "$agent" <<AGENT
#!/usr/bin/env bash
host=\$1
shift
case \$host in
  10.99.0.1) namespace=$first ;;
  10.99.0.2) namespace=$second ;;
  *) echo "unknown host \$host" >&2; exit 1 ;;
esac
exec ip netns exec "\$namespace" unshare --uts bash -c 'hostname "\$0"; eval "\$1"' "\$namespace" "\$*"
AGENT
chmod +x "$agent"
printf '10.99.0.1 slots=1\n10.99.0.2 slots=1\n' > "$hosts"
if [ -n "${CUT:-}" ]; then
  (sleep "$CUT"; ip -n "$second" link set wire down) &
fi
launcher=$(command -v mpirun.openmpi || command -v mpirun)
# shellcheck disable=SC2086 # MPIRUN_ARGS are several
ip netns exec "$first" unshare --uts bash -c 'hostname "$0"; exec "$@"' "$first" \
  "$launcher" --allow-run-as-root --hostfile "$hosts" -np 2 --map-by node --bind-to none --mca plm_rsh_agent "$agent" \
  --mca btl tcp,self --mca btl_tcp_if_include 10.99.0.0/24 --mca oob_tcp_if_include 10.99.0.0/24 -x PATH ${MPIRUN_ARGS:-} "$@"
