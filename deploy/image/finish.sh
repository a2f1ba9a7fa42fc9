#!/bin/sh
# After the engine: takes its symbols, which only a debugger reads, writes down what is in the image, and leaves of
# /opt/dcgan what goes into it.
set -eu
cd /opt/dcgan/app
strip --strip-unneeded ../engine/tensorflow/*.so.2
node deploy/image/record.mjs
rm -rf bench src test proto tsconfig.json .npmrc package-lock.json node_modules/.package-lock.json node_modules/node-api-headers
# Of the scripts, the programs import those that package.json names.
node -e 'const kept = new Set(Object.values(require("./package.json").imports));
  const fs = require("fs");
  for (const name of fs.readdirSync("scripts")) if (!kept.has(`./scripts/${name}`)) fs.rmSync(`scripts/${name}`);'
find deploy -type f ! -name 'health.mjs' ! -name 'make-keys.sh' -delete
find ../engine -maxdepth 1 -name '*.failure.json' -delete
