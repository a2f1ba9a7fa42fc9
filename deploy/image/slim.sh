#!/bin/sh
# Leaves of the packages and the build what runs, and makes the folders that the image starts with in /image.
set -eu
cd /opt/dcgan/app

npm prune --omit=dev --ignore-scripts --loglevel=error
# npm's list leaves out what tools of development need as well, as long as it knows of them.
node -e '
  const { readFileSync, writeFileSync } = require("fs");
  for (const file of ["package.json", "package-lock.json"]) {
    const { devDependencies, ...rest } = JSON.parse(readFileSync(file));
    if (rest.packages) delete rest.packages[""].devDependencies;
    writeFileSync(file, JSON.stringify(rest, null, 2) + "\n");
  }'
npm sbom --sbom-format cyclonedx > /npm-packages.json
rm -rf dist/bench dist/test
find dist node_modules -type f \( -name '*.map' -o -name '*.ts' -o -name '*.mts' -o -name '*.cts' -o -name '*_test.js' \) -delete
# TensorFlow.js brings each bundle nine times over; Node loads tf*.node.js.
find node_modules/@tensorflow/*/dist -maxdepth 1 -type f \
  \( -name '*.min.js' -o -name '*.es2017.js' -o -name '*.fesm.js' \) -delete
# The chart's one font, in two weights.
find node_modules/dejavu-fonts-ttf/ttf -name '*.ttf' ! -name DejaVuSans.ttf ! -name DejaVuSans-Bold.ttf -delete
# ZeroMQ for other systems.
rm -rf node_modules/zeromq/build/darwin node_modules/zeromq/build/win32 node_modules/zeromq/src
find node_modules/zeromq/build/linux -type d -name 'musl-*' -prune -exec rm -rf {} +

mkdir -p /image/usr/local/bin /image/runs /image/cache /image/keys
for folder in coordinator worker metrics; do mkdir "/image/keys/$folder"; done
link_program() { # name, folder
  chmod 755 "dist/src/$2/main.js"
  ln -s "/opt/dcgan/app/dist/src/$2/main.js" "/image/usr/local/bin/$1"
}
link_program coordinator cli
link_program worker worker
# Volumes take over owner and mode. Runs and cache may belong to any user; keys are the image's own user's.
chmod 1777 /image/runs /image/cache
chown -R 1000:1000 /image/keys
chmod 700 /image/keys/*
