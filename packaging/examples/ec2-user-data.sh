#!/bin/sh
# User data of EC2 instances: installs the node exporter and enrols the instance by its identity document. Nothing in it is secret.
# On the machine of the authority: exporter-pki serve --ec2-account ID --ec2-certificates FILE ...
# The instance is then found by its tag exporter=node: see ec2_sd.yml.
set -eu

authority=https://pki.example.org:8443
# What `exporter-pki token --ec2` prints.
token=ec2.0000000000000000000000000000000000000000000000000000000000000000

# From your package repository, unless the image has it.
command -v node-exporter >/dev/null || { apt-get update -q && apt-get install -q -y node-exporter; }

# The authority may be starting, too.
for attempt in 1 2 3 4 5; do
    exporter-enrol "$authority" "$token" node-exporter && exit
    sleep "$((attempt * 10))"
done
exit 1
