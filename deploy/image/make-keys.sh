#!/bin/sh
# Makes the keys of a coordinator and its workers where there are none, and gives each what is its own: workers do not
# see the coordinator's secret, and Prometheus sees the token alone. In /keys: coordinator, worker, metrics; the last
# becomes Prometheus's configuration. May run again at any time: a file that is there is whole.
set -eu
umask 077
cd /keys

# place MODE FILE FOLDER
place() {
  cp "$2" "$3/.new"
  chmod "$1" "$3/.new"
  mv -f "$3/.new" "$3/${2##*/}"
}

if [ ! -e coordinator/coordinator.key_secret ]; then coordinator keys coordinator; fi
place 600 coordinator/coordinator.key worker
if [ -e coordinator/worker.key_secret ]; then
  place 600 coordinator/worker.key_secret worker
  rm coordinator/worker.key_secret
fi

# Prometheus runs as a user of its own, and nobody else has this folder.
chmod 755 metrics
for file in coordinator/http.token /monitoring/*.yml; do place 444 "$file" metrics; done
echo "- targets: ['coordinator:9464']" > /tmp/coordinators.yml
place 444 /tmp/coordinators.yml metrics
