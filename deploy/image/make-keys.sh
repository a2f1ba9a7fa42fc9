#!/bin/sh
# Makes the keys of a coordinator and its workers where there are none, and gives each what is its own: workers do not
# see the coordinator's secret, and who reads the metrics sees the token alone. Folders: /keys/{coordinator,worker,metrics}.
set -eu
umask 077
cd /keys
[ -e coordinator/coordinator.key_secret ] || coordinator keys coordinator
cp coordinator/coordinator.key coordinator/worker.key_secret worker/
cp coordinator/http.token metrics/
# Prometheus runs as a user of its own, and nobody else has this volume.
chmod 755 metrics
chmod 444 metrics/http.token
