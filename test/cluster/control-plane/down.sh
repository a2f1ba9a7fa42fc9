# Ends everything. Sourced by control-plane.sh.
node_down() {
  local i m
  [ -f "$ST/containerd.toml" ] || return 0
  stop gpu-plugin; stop kubelet; stop coredns; stop kube-proxy
  ctrk version >/dev/null 2>&1 || { start containerd containerd -c "$ST/containerd.toml"; wait_for containerd 20 ctrk version || true; }
  # containers before their sandboxes (a shim serves a whole pod and ends with the sandbox)
  for i in $(ctrk containers ls 'labels."io.cri-containerd.kind"==container' -q) $(ctrk containers ls -q); do
    ctrk tasks rm -f "$i" >/dev/null 2>&1 || true; ctrk containers rm "$i" >/dev/null 2>&1 || true
  done
  stop containerd
  for m in $(awk -v p="$ST/" 'index($2, p) == 1 {print $2}' /proc/mounts | sort -r); do umount -l "$m" || true; done
  iptables -w -t nat -D PREROUTING -i "$BR" -d 10.96.0.1 -p tcp --dport 443 -j DNAT --to-destination 127.0.0.1:$PORT 2>/dev/null || true
  kube-proxy --cleanup >"$LOG/kube-proxy-cleanup.log" 2>&1 || true
  for i in iptables ip6tables; do  # kube-proxy leaves these
    for m in INPUT OUTPUT; do $i -w -D $m -j KUBE-FIREWALL 2>/dev/null || true; done
    { $i -w -F KUBE-FIREWALL && $i -w -X KUBE-FIREWALL; } 2>/dev/null || true
  done
  ip link del "$BR" 2>/dev/null || true
  find /sys/fs/cgroup -depth -type d -path '*/kubepods*' -exec rmdir {} + 2>/dev/null || true
  find /sys/fs/cgroup -maxdepth 2 -depth -type d -name 'k8s.io' -exec rmdir {} + 2>/dev/null || true
  [ ! -s "$ST/sysctls" ] || sysctl -q -p "$ST/sysctls" >/dev/null || true
  # what kubelet and containerd keep at fixed places
  rm -f /var/lib/kubelet/device-plugins/{kubelet.sock,fake-gpu.sock,kubelet_internal_checkpoint}; rmdir /var/lib/kubelet/device-plugins /var/lib/kubelet 2>/dev/null || true
  find /var/log/containers -type l -lname "$ST/*" -delete 2>/dev/null || true; rmdir /var/log/containers 2>/dev/null || true
  rmdir /run/containerd/s /run/containerd/fifo /run/containerd/runc/k8s.io /run/containerd/runc /run/containerd 2>/dev/null || true
  say "node down"
}

down() {
  local n
  node_down
  for n in jobset kwok scheduler kcm apiserver etcd; do
    stop $n
  done
  say "processes ended"; rm -rf "$ST"; say down
}
