# The control plane, with fake nodes. Sourced by control-plane.sh.
up() {
  local t=$SECONDS c i; NODES=${NODES:-1}
  if [ -f "$ST/apiserver.pid" ] && alive "$(cat "$ST/apiserver.pid")"; then say "already up"; return; fi
  rm -rf "$ST"; mkdir -p "$ST" "$LOG"; chmod 700 "$ST"; cd "$ST"
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -subj /CN=local-ca \
    -keyout ca.key -out ca.crt 2>/dev/null
  openssl genrsa -out sa.key 2048 2>/dev/null; openssl rsa -in sa.key -pubout -out sa.pub 2>/dev/null
  cert apiserver kube-apiserver local 'IP:127.0.0.1,IP:10.96.0.1,DNS:localhost,DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc'
  cert admin admin system:masters
  cert kcm system:kube-controller-manager local
  cert scheduler system:kube-scheduler local
  cert kubelet "system:node:$REAL_NODE" system:nodes
  cert jobset-webhook jobset-webhook local 'IP:127.0.0.1'
  for c in admin kcm scheduler kubelet; do kubeconf $c --client-certificate="$ST/$c.crt" --client-key="$ST/$c.key" --embed-certs; done

  start etcd etcd --name local --data-dir "$ST/etcd" --unsafe-no-fsync \
    --listen-client-urls http://127.0.0.1:$ETCD_PORT --advertise-client-urls http://127.0.0.1:$ETCD_PORT \
    --listen-peer-urls http://127.0.0.1:$ETCD_PEER --initial-advertise-peer-urls http://127.0.0.1:$ETCD_PEER \
    --initial-cluster local=http://127.0.0.1:$ETCD_PEER
  start apiserver kube-apiserver --etcd-servers=http://127.0.0.1:$ETCD_PORT \
    --bind-address=127.0.0.1 --advertise-address=127.0.0.1 --secure-port=$PORT --endpoint-reconciler-type=none \
    --service-cluster-ip-range=10.96.0.0/16 --authorization-mode=Node,RBAC --enable-admission-plugins=NodeRestriction \
    --client-ca-file="$ST/ca.crt" --tls-cert-file="$ST/apiserver.crt" --tls-private-key-file="$ST/apiserver.key" \
    --service-account-issuer=https://kubernetes.default.svc --service-account-key-file="$ST/sa.pub" \
    --service-account-signing-key-file="$ST/sa.key" --allow-privileged=true \
    --kubelet-client-certificate="$ST/admin.crt" --kubelet-client-key="$ST/admin.key" --kubelet-preferred-address-types=InternalIP
  wait_for apiserver 60 kubectl get --raw /readyz
  start kcm kube-controller-manager --kubeconfig="$ST/kcm.kubeconfig" --bind-address=127.0.0.1 --secure-port=$KCM_PORT \
    --use-service-account-credentials=true --service-account-private-key-file="$ST/sa.key" --root-ca-file="$ST/ca.crt" \
    --cluster-signing-cert-file="$ST/ca.crt" --cluster-signing-key-file="$ST/ca.key" --leader-elect=false
  start scheduler kube-scheduler --kubeconfig="$ST/scheduler.kubeconfig" --bind-address=127.0.0.1 --secure-port=$SCHED_PORT --leader-elect=false
  wait_for controller-manager 30 kubectl -n default get serviceaccount default

  # KWOK: real node and pod life cycles without kubelets; Stage objects say how a pod goes on. There is none that
  # completes pods or fails them: tests do that.
  kubectl apply --server-side -f "$CRD/kwok/crd/bases/kwok.x-k8s.io_stages.yaml" >/dev/null
  established stages.kwok.x-k8s.io
  kubectl apply -f "$CRD/kwok/stage/node/fast/node-initialize.yaml" -f "$CRD/kwok/stage/node/heartbeat-with-lease/node-heartbeat-with-lease.yaml" \
    $(for i in create ready delete; do echo "-f $CRD/kwok/stage/pod/general/pod-$i.yaml"; done) -f "$here/pod-terminate.yaml" >/dev/null
  start kwok kwok --kubeconfig="$ST/admin.kubeconfig" --manage-all-nodes=false --manage-nodes-with-annotation-selector=kwok.x-k8s.io/node=fake --enable-crds=Stage --cidr=10.244.0.0/16 \
    --node-ip=127.0.0.1 --node-lease-duration-seconds=40 --server-address=127.0.0.1:$KWOK_PORT
  for ((i = 0; i < NODES; i++)); do
    kubectl apply -f - >/dev/null <<Y
apiVersion: v1
kind: Node
metadata:
  name: gpu-$i
  annotations: {kwok.x-k8s.io/node: fake}
  labels: {kubernetes.io/hostname: gpu-$i, kubernetes.io/os: linux, kubernetes.io/arch: amd64, nvidia.com/gpu.present: "true"}
spec: {taints: [${FAKE_TAINT:-}]}
status:
  allocatable: &r {cpu: "96", memory: 1Ti, pods: "110", ephemeral-storage: 1Ti, nvidia.com/gpu: "$GPUS_PER_NODE"}
  capacity: *r
Y
  done
  [ "$NODES" = 0 ] || kubectl wait --for=condition=Ready node --all --timeout=60s >/dev/null

  # JobSet: its own CRD, RBAC and webhooks; the controller runs here instead of in a pod, so the
  # webhooks get a url and our CA in place of a Service and a rotated Secret
  kubectl create namespace jobset-system >/dev/null
  local ov=$CRD/jobset-local ca; ca=$(base64 -w0 "$ST/ca.crt"); mkdir -p "$ov"
  local h=https://127.0.0.1:$JOBSET_HOOK
  cat >"$ov/kustomization.yaml" <<Y
resources: [../jobset/default]
patches:
- target: {kind: Deployment}
  patch: '{"\$patch": "delete", "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "jobset-controller-manager", "namespace": "jobset-system"}}'
- target: {kind: CustomResourceDefinition}
  patch: '[{"op": "remove", "path": "/spec/conversion"}]'
- target: {kind: MutatingWebhookConfiguration}
  patch: |
    - {op: replace, path: /webhooks/0/clientConfig, value: {url: "$h/mutate-jobset-x-k8s-io-v1alpha2-jobset", caBundle: $ca}}
    - {op: replace, path: /webhooks/1/clientConfig, value: {url: "$h/mutate--v1-pod", caBundle: $ca}}
- target: {kind: ValidatingWebhookConfiguration}
  patch: |
    - {op: replace, path: /webhooks/0/clientConfig, value: {url: "$h/validate-jobset-x-k8s-io-v1alpha2-jobset", caBundle: $ca}}
    - {op: replace, path: /webhooks/1/clientConfig, value: {url: "$h/validate--v1-pod", caBundle: $ca}}
Y
  kubectl apply --server-side -k "$ov" >/dev/null
  established jobsets.jobset.x-k8s.io
  mkdir -p "$ST/hook"; cp "$ST/jobset-webhook.crt" "$ST/hook/tls.crt"; cp "$ST/jobset-webhook.key" "$ST/hook/tls.key"
  cat >"$ST/jobset.yaml" <<Y
apiVersion: config.jobset.x-k8s.io/v1alpha1
kind: Configuration
leaderElection: {leaderElect: false}
internalCertManagement: {enable: false}
metrics: {bindAddress: "0"}
health: {healthProbeBindAddress: "127.0.0.1:$JOBSET_HEALTH"}
webhook: {port: $JOBSET_HOOK, host: 127.0.0.1, certDir: $ST/hook}
Y
  kubeconf jobset --token="$(kubectl -n jobset-system create token jobset-controller-manager --duration=720h)"
  start jobset jobset --config="$ST/jobset.yaml" --kubeconfig="$ST/jobset.kubeconfig"
  wait_for jobset 30 bash -c "exec 3<>/dev/tcp/127.0.0.1/$JOBSET_HOOK"

  kubectl apply --server-side -f "$CRD/prometheus/" >/dev/null
  established podmonitors.monitoring.coreos.com
  say "up in $((SECONDS - t)) s; export KUBECONFIG=$ST/admin.kubeconfig PATH=$BIN:\$PATH"
}

