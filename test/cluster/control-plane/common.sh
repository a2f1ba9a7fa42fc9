# Where everything is, and how programs are started and ended. Sourced by control-plane.sh.
KUBE_DIR=${KUBE_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/dcgan-trainer-cluster}
K8S_VERSION=${K8S_VERSION:-1.35.4}
ETCD_VERSION=${ETCD_VERSION:-3.6.13}
KWOK_VERSION=${KWOK_VERSION:-0.7.0}
JOBSET_VERSION=${JOBSET_VERSION:-0.10.1}
CONTROLLER_GEN_VERSION=${CONTROLLER_GEN_VERSION:-0.20.0}
PROM_API_VERSION=${PROM_API_VERSION:-0.93.0}
COREDNS_VERSION=${COREDNS_VERSION:-1.14.7}
NODES=${NODES-}                # fake nodes (default: 1 with `up`, 0 with `node`)
REAL_NODE=${REAL_NODE:-real-0} # name of the real one
GPUS_PER_NODE=${GPUS_PER_NODE:-8}
PORT=${PORT:-17443}            # apiserver; the others count up from it
ETCD_PORT=$((PORT + 1)) ETCD_PEER=$((PORT + 2)) KCM_PORT=$((PORT + 3))
SCHED_PORT=$((PORT + 4)) KWOK_PORT=$((PORT + 5)) JOBSET_HOOK=$((PORT + 6)) JOBSET_HEALTH=$((PORT + 7))
KUBELET_PORT=$((PORT + 8)) KUBELET_HEALTH=$((PORT + 9)) KUBELET_CRI=$((PORT + 10))
PROXY_HEALTH=$((PORT + 11)) PROXY_METRICS=$((PORT + 12))
BR=${BR:-kubebr0} POD_NET=${POD_NET:-10.245.0}  # bridge of the real node and its /24; .1 is the node, kubelet and DNS

BIN=$KUBE_DIR/bin SRC=$KUBE_DIR/src CRD=$KUBE_DIR/crd ST=$KUBE_DIR/state LOG=$KUBE_DIR/log
export PATH=$BIN:$PATH KUBECONFIG=$ST/admin.kubeconfig
export CGO_ENABLED=0 GOFLAGS=-mod=mod

say() { printf '[%s] %s\n' "$(date +%T)" "$*"; }
# cert NAME CN O [SAN]: $ST/NAME.{crt,key} signed by $ST/ca
cert() {
  openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$ST/$1.key" \
    -subj "/O=$3/CN=$2" -out "$ST/$1.csr" 2>/dev/null
  openssl x509 -req -in "$ST/$1.csr" -CA "$ST/ca.crt" -CAkey "$ST/ca.key" -CAcreateserial -days 3650 \
    -extfile <(echo "extendedKeyUsage=clientAuth,serverAuth"; [ -z "${4:-}" ] || echo "subjectAltName=$4") \
    -out "$ST/$1.crt" 2>/dev/null
}
# kubeconf NAME CREDENTIAL-FLAGS...: $ST/NAME.kubeconfig
kubeconf() {
  local f=$ST/$1.kubeconfig
  kubectl --kubeconfig "$f" config set-cluster local --server=https://127.0.0.1:$PORT \
    --certificate-authority="$ST/ca.crt" --embed-certs >/dev/null
  kubectl --kubeconfig "$f" config set-credentials "$1" "${@:2}" >/dev/null
  kubectl --kubeconfig "$f" config set-context local --cluster=local --user="$1" >/dev/null
  kubectl --kubeconfig "$f" config use-context local >/dev/null
}
start() { # start NAME COMMAND...
  local n=$1; shift
  setsid nohup "$@" >"$LOG/$n.log" 2>&1 </dev/null & echo $! >"$ST/$n.pid"
}
wait_for() { # wait_for WHAT SECONDS COMMAND...
  local what=$1 n=$2 i; shift 2
  for ((i = 0; i < n * 5; i++)); do "$@" >/dev/null 2>&1 && return 0; sleep 0.2; done
  say "gave up waiting for $what; see $LOG"; return 1
}

established() { # established CRD: kubectl's own wait fails where the object has no conditions yet
  wait_for "$1" 30 kubectl wait --for=condition=Established "crd/$1" --timeout=1s
}

alive() { grep -qs '^State:.[^ZX]' "/proc/$1/status"; }  # a zombie has ended too
stop() { # stop NAME: TERM, after 10 s KILL
  local p; [ -f "$ST/$1.pid" ] || return 0
  p=$(cat "$ST/$1.pid"); ! alive "$p" || kill "$p" 2>/dev/null || true
  for _ in $(seq 100); do alive "$p" || break; sleep 0.1; done
  if alive "$p"; then kill -9 "$p" || true; fi
  rm -f "$ST/$1.pid"
}
