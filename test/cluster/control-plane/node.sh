# The real node. Sourced by control-plane.sh.
# image_tar NAME BINARY: a docker-archive of one static program, its entry point
image_tar() {
  local d; d=$(mktemp -d); tar -C "$(dirname "$2")" --owner=0 --group=0 -cf "$d/layer.tar" "$(basename "$2")"
  printf '{"architecture":"amd64","os":"linux","config":{"Entrypoint":["/%s"],"User":"65535:65535"},"rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}' \
    "$(basename "$2")" "$(sha256sum "$d/layer.tar" | cut -d' ' -f1)" >"$d/config.json"
  printf '[{"Config":"config.json","RepoTags":["%s"],"Layers":["layer.tar"]}]' "$1" >"$d/manifest.json"
  tar -C "$d" -c config.json manifest.json layer.tar; rm -rf "$d"
}
ctrk() { ctr --address "$ST/cri.sock" -n k8s.io "$@"; }
image() { # image NAME|FILE...: into the real node
  local i f
  for i; do
    f=$i; [ -f "$i" ] || { f=$ST/image.tar; rm -f "$f"; podman save -q --format docker-archive -o "$f" "$i"; }
    ctrk images import "$f" >/dev/null; rm -f "$ST/image.tar"; say "image $i is in"
  done
}

SYSCTLS="vm.overcommit_memory vm.panic_on_oom kernel.panic kernel.panic_on_oops kernel.keys.root_maxkeys kernel.keys.root_maxbytes"
node() {
  local t=$SECONDS s; NODES=${NODES:-0} FAKE_TAINT='{key: kwok.x-k8s.io/node, value: fake, effect: NoSchedule}' up
  if [ -f "$ST/kubelet.pid" ] && alive "$(cat "$ST/kubelet.pid")"; then say "node already up"; return; fi
  t=$SECONDS; mkdir -p "$ST/cni"

  # network: one bridge whose .1 is the node's address. Nothing listens on the machine's own addresses.
  ip link show "$BR" >/dev/null 2>&1 || ip link add "$BR" type bridge
  ip addr replace "$POD_NET.1/24" dev "$BR"; ip link set "$BR" up
  cat >"$ST/cni/10-bridge.conflist" <<Y
{"cniVersion": "1.0.0", "name": "pods", "plugins": [
  {"type": "bridge", "bridge": "$BR", "isGateway": true, "ipMasq": false, "hairpinMode": true,
   "ipam": {"type": "host-local", "dataDir": "$ST/ipam", "ranges": [[{"subnet": "$POD_NET.0/24"}]], "routes": [{"dst": "0.0.0.0/0"}]}},
  {"type": "portmap", "capabilities": {"portMappings": true}}]}
Y

  # restrict_oom_score_adj: without CAP_SYS_RESOURCE nobody may lower his own score, as kubelet asks of runc.
  cat >"$ST/containerd.toml" <<Y
version = 2
root = "$ST/containerd"
state = "$ST/containerd-run"
[grpc]
  address = "$ST/cri.sock"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "localhost/pause:1"
  restrict_oom_score_adj = true
  disable_apparmor = true
  netns_mounts_under_state_dir = true
  stream_server_port = "$KUBELET_CRI"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "$ST/cni"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
Y
  start containerd containerd -c "$ST/containerd.toml"
  wait_for containerd 20 ctrk version
  image_tar localhost/pause:1 "$BIN/pause" >"$ST/pause.tar"; image "$ST/pause.tar"

  # maxOpenFiles: the hard limit cannot be raised. cgroups: v1 or hybrid. Evictions: by bytes, since
  # a file system with a large reserve looks full to the percentages. podLogsDir etc.: keep to $ST
  cat >"$ST/kubelet.yaml" <<Y
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
address: $POD_NET.1
port: $KUBELET_PORT
healthzPort: $KUBELET_HEALTH
readOnlyPort: 0
authentication: {x509: {clientCAFile: $ST/ca.crt}, webhook: {enabled: true}, anonymous: {enabled: false}}
authorization: {mode: Webhook}
containerRuntimeEndpoint: unix://$ST/cri.sock
cgroupDriver: cgroupfs
failCgroupV1: false
enforceNodeAllocatable: [pods]
failSwapOn: false
makeIPTablesUtilChains: false
maxOpenFiles: $(ulimit -Hn | sed s/unlimited/1000000/)
oomScoreAdj: 0
clusterDomain: cluster.local
clusterDNS: [$POD_NET.1]
resolvConf: $ST/resolv.conf
podLogsDir: $ST/pod-logs
volumePluginDir: $ST/volume-plugins
imageGCHighThresholdPercent: 100
evictionHard: {memory.available: 100Mi, nodefs.available: 100Mi, imagefs.available: 100Mi}
crashLoopBackOff: {maxContainerRestartPeriod: 10s}
Y
  : >"$ST/resolv.conf"; : >"$ST/sysctls"
  for s in $SYSCTLS; do echo "$s=$(sysctl -n "$s")" >>"$ST/sysctls"; done
  start kubelet kubelet --kubeconfig="$ST/kubelet.kubeconfig" --config="$ST/kubelet.yaml" --root-dir="$ST/kubelet" \
    --cert-dir="$ST/kubelet/pki" --hostname-override="$REAL_NODE" --node-ip="$POD_NET.1" --node-labels=node.example/real=true
  wait_for kubelet 60 kubectl get node "$REAL_NODE"
  kubectl label --overwrite node "$REAL_NODE" nvidia.com/gpu.present=true >/dev/null
  kubectl wait --for=condition=Ready node "$REAL_NODE" --timeout=60s >/dev/null
  sysctl -q -p "$ST/sysctls" >/dev/null  # kubelet has set them once (panic on oops, ...); not ours to change

  # Service names, for pods (clusterDNS above)
  cat >"$ST/Corefile" <<Y
.:53 {
  bind $POD_NET.1
  errors
  kubernetes cluster.local in-addr.arpa {
    kubeconfig $ST/admin.kubeconfig
    pods verified
    ttl 1
  }
}
Y
  start coredns coredns -conf "$ST/Corefile"
  wait_for coredns 20 bash -c "exec 3<>/dev/tcp/$POD_NET.1/53"
  # Services with a ClusterIP; the API, which listens on 127.0.0.1 only, gets 10.96.0.1 by a rule of our own
  start kube-proxy kube-proxy --kubeconfig="$ST/admin.kubeconfig" --hostname-override="$REAL_NODE" --proxy-mode=iptables \
    --cluster-cidr="$POD_NET.0/24" --nodeport-addresses="$POD_NET.0/24" --iptables-localhost-nodeports=false \
    --conntrack-max-per-core=0 --conntrack-tcp-timeout-established=0 --conntrack-tcp-timeout-close-wait=0 \
    --healthz-bind-address=127.0.0.1:$PROXY_HEALTH --metrics-bind-address=127.0.0.1:$PROXY_METRICS
  sysctl -qw "net.ipv4.conf.$BR.route_localnet=1"
  iptables -w -t nat -I PREROUTING -i "$BR" -d 10.96.0.1 -p tcp --dport 443 -j DNAT --to-destination 127.0.0.1:$PORT

  # counted GPUs that are not there: a device plugin, the way that real ones come. (For other resource names
  # a patch of the node's status.capacity does too: kubelet keeps it and follows in allocatable after 10 s.)
  start gpu-plugin gpu-plugin "$GPUS_PER_NODE"
  wait_for gpus 30 bash -c "[ \"\$(kubectl get node $REAL_NODE -o jsonpath='{.status.allocatable.nvidia\.com/gpu}')\" = $GPUS_PER_NODE ]"
  say "node up in $((SECONDS - t)) s"
}

