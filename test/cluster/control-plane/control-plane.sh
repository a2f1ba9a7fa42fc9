#!/usr/bin/env bash
# A real Kubernetes control plane on 127.0.0.1, with pods that are faked by KWOK or really run on this machine.
#   control-plane.sh build   fetch and compile everything into $KUBE_DIR/bin (skips what is there)
#   control-plane.sh up      start etcd, apiserver, controller-manager, scheduler, kwok, jobset
#   control-plane.sh node    `up` plus one real node (kubelet, containerd, runc, CNI bridge, CoreDNS, device plugin)
#                            in place of the fake ones
#   control-plane.sh image   import images into the real node: image NAME|FILE... (a podman image or a docker-archive tar)
#   control-plane.sh down    end the processes that were started (by pid) and drop the state
# After `up` or `node`: export KUBECONFIG=$KUBE_DIR/state/admin.kubeconfig PATH=$KUBE_DIR/bin:$PATH
# Needs Go, openssl and the Go module proxy (build only); no Docker, no systemd. `node` also: root, cgroups v1 or hybrid,
# apt-get install containerd runc containernetworking-plugins iproute2 iptables
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
for part in common build up node down; do . "$here/$part.sh"; done

case "${1:-}" in
  build) build ;; up) up ;; node) node ;; down) down ;;
  image) image "${@:2}" ;;
  *) sed -n '2,12s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac
