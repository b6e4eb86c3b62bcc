#!/usr/bin/env bash
# Installs what the contract tests need and this clone does not have yet, into the git-ignored .cache/:
# boto3, the AWS CLI and s3cmd (needs python3 with venv), and versitygw (needs Go; the build takes minutes).
# curl and rclone come from the system: apt-get install curl rclone
set -euo pipefail
cd "$(dirname "$0")/../.."

readonly versitygw='v1.8.0'
readonly cache="$PWD/.cache"
mkdir -p "$cache/bin"

if ! cmp -s test/contract/requirements.txt "$cache/venv/installed.txt"; then
  echo 'Installing boto3, the AWS CLI and s3cmd'
  rm -rf "$cache/venv"
  python3 -m venv "$cache/venv"
  "$cache/venv/bin/pip" install --quiet --no-input --disable-pip-version-check -r test/contract/requirements.txt
  cp test/contract/requirements.txt "$cache/venv/installed.txt"
fi

if [[ ! -x $cache/bin/versitygw-$versitygw ]]; then
  echo "Building versitygw $versitygw"
  GOBIN="$cache/bin" GOFLAGS= go install "github.com/versity/versitygw/cmd/versitygw@$versitygw"
  rm -f "$cache"/bin/versitygw-*
  mv "$cache/bin/versitygw" "$cache/bin/versitygw-$versitygw"
  ln -s "versitygw-$versitygw" "$cache/bin/versitygw"
fi
