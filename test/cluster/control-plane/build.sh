# Fetches and compiles. Sourced by control-plane.sh.
moddir() { (cd "$SRC" && go mod download -json "$1" | sed -n 's/.*"Dir": "\(.*\)".*/\1/p'); }

timed() { local s=$SECONDS; nice -n 10 "${@:2}"; say "built $1 in $((SECONDS - s)) s"; }

# `go install PKG@V` refuses a module whose go.mod has replace directives. They count only in the
# main module, so a wrapper module of ours that requires it builds it just as well.
build() {
  local t=$SECONDS d m p; mkdir -p "$BIN" "$SRC" "$CRD"
  [ -f "$SRC/go.mod" ] || (cd "$SRC" && go mod init local.test/src 2>/dev/null)

  if [ ! -x "$BIN/etcd" ]; then
    d=$SRC/etcd; rm -rf "$d"; mkdir -p "$d"; cd "$d"; go mod init local.test/etcd 2>/dev/null
    go mod edit -require=go.etcd.io/etcd/server/v3@v"$ETCD_VERSION"
    timed etcd go build -ldflags '-s -w' -o "$BIN/etcd" go.etcd.io/etcd/server/v3
  fi

  if [ ! -x "$BIN/kube-apiserver" ] || [ ! -x "$BIN/jobset" ] || [ ! -x "$BIN/kubelet" ] || [ ! -x "$BIN/kube-proxy" ] || [ ! -x "$BIN/gpu-plugin" ]; then
    m=$(moddir k8s.io/kubernetes@v"$K8S_VERSION")
    d=$SRC/k8s; rm -rf "$d"; mkdir -p "$d"; cd "$d"; go mod init local.test/k8s 2>/dev/null
    # the 31 staging modules: from ./staging/src to their published v0.X. jobset goes along: it
    # compiles against 0.35 too, which shares the compiled packages; kwok 0.7.0 does not (0.33 only)
    go mod edit -require=k8s.io/kubernetes@v"$K8S_VERSION" -require=sigs.k8s.io/jobset@v"$JOBSET_VERSION" \
      $(grep -oE 'k8s.io/[a-z0-9-]+ =>' "$m/go.mod" | cut -d' ' -f1 | sed "s/.*/-replace=&=&@v0.${K8S_VERSION#1.}/")
    cp "$m/go.sum" go.sum && chmod u+w go.sum
    local v=k8s.io/component-base/version c=k8s.io/client-go/pkg/version minor ld='-s -w'
    minor=$(cut -d. -f2 <<<"$K8S_VERSION")
    for p in $v $c; do ld+=" -X $p.gitVersion=v$K8S_VERSION -X $p.gitMajor=1 -X $p.gitMinor=$minor -X $p.gitTreeState=archive"; done
    cp -r "$here/gpu-plugin" .
    go mod edit -require=k8s.io/kubelet@v0."${K8S_VERSION#1.}"
    timed kubernetes+jobset go build -ldflags "$ld" -o "$BIN/" sigs.k8s.io/jobset ./gpu-plugin \
      k8s.io/kubernetes/cmd/{kube-apiserver,kube-controller-manager,kube-scheduler,kubectl,kubelet,kube-proxy}
  fi

  # CoreDNS with the few plugins that headless Services need, and a pause program (both for `node`)
  if [ ! -x "$BIN/coredns" ]; then
    m=$(moddir github.com/coredns/coredns@v"$COREDNS_VERSION")
    d=$SRC/coredns; rm -rf "$d"; mkdir -p "$d"; cd "$d"; go mod init local.test/coredns 2>/dev/null
    go mod edit -require=github.com/coredns/coredns@v"$COREDNS_VERSION"; cp "$m/go.sum" go.sum; chmod u+w go.sum
    { echo 'package main'; echo 'import "github.com/coredns/coredns/coremain"'
      for p in bind errors kubernetes log; do echo "import _ \"github.com/coredns/coredns/plugin/$p\""; done
      echo 'func main() { coremain.Run() }'; } >main.go
    timed coredns go build -ldflags '-s -w' -o "$BIN/coredns" .
  fi
  if [ ! -x "$BIN/pause" ]; then
    cd "$here/pause"; go build -ldflags '-s -w' -o "$BIN/pause" main.go
  fi

  # these have no replace directives
  cd "$SRC"
  [ -x "$BIN/kwok" ] || GOBIN=$BIN timed kwok go install -ldflags '-s -w' sigs.k8s.io/kwok/cmd/kwok@v"$KWOK_VERSION"
  [ -x "$BIN/controller-gen" ] || GOBIN=$BIN timed controller-gen go install -ldflags '-s -w' sigs.k8s.io/controller-tools/cmd/controller-gen@v"$CONTROLLER_GEN_VERSION"

  # CRDs and manifests that the module zips carry
  if [ ! -f "$CRD/.done" ]; then
    rm -rf "$CRD"; mkdir -p "$CRD"
    cp -r "$(moddir sigs.k8s.io/kwok@v"$KWOK_VERSION")/kustomize" "$CRD/kwok"
    cp -r "$(moddir sigs.k8s.io/jobset@v"$JOBSET_VERSION")/config" "$CRD/jobset"
    chmod -R u+w "$CRD"
    # PodMonitor/ServiceMonitor: from the Go types, as upstream itself makes its YAML
    d=$SRC/prom; rm -rf "$d"; mkdir -p "$d"; cd "$d"; go mod init local.test/prom 2>/dev/null
    go mod edit -require=github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring@v"$PROM_API_VERSION"
    timed prometheus-crds controller-gen crd:crdVersions=v1 \
      paths=github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1 output:crd:dir="$CRD/prometheus"
    touch "$CRD/.done"
  fi
  say "build done in $((SECONDS - t)) s; $(du -sh "$BIN" | cut -f1) of binaries"
}

