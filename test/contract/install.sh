#!/usr/bin/env bash
# Installs what the contract tests need and this clone does not have yet, into the git-ignored .cache/. Versions are
# pinned here, in requirements.txt and in the lock files of clients/; what did not change is not built again, and needs
# no network. From the system (.ci/system-packages): python3, Go, a JDK with Maven, Cargo 1.94, Ruby with
# ruby-aws-sdk-s3, curl, rclone, Ceph. What cannot be built here is said and left out, and the tests skip it.
set -euo pipefail
cd "$(dirname "$0")/../.."

readonly versitygw='v1.8.0'
readonly minio='v0.0.0-20260212201848-7aac2a2c5b7c'
readonly mc='v0.0.0-20250313080218-cf909e1063a9'

readonly cache="$PWD/.cache"
readonly clients='test/contract/clients'

main() {
  mkdir -p "$cache/bin"
  once python python3 test/contract/requirements.txt
  once story-go go "$clients"/go/*
  once story-java mvn "$clients"/java/pom.xml "$clients"/java/src/main/java/*
  once story-rust cargo "$clients"/rust/Cargo.* "$clients"/rust/src/*
  link_ruby
  go_program mc github.com/minio/mc "$mc"
  go_program versitygw github.com/versity/versitygw/cmd/versitygw "$versitygw"
  go_program minio github.com/minio/minio "$minio"
  echo "Clients and upstreams are there, after $SECONDS s"
}

# Builds NAME with its function, which needs PROGRAM, unless it did for the same contents of FILES.
once() {
  local name="$1" program="$2" start="$SECONDS" key
  shift 2
  key="$(sha256sum "$@" | sha256sum)"
  if [[ -f $cache/$name.key && $(< "$cache/$name.key") == "$key" ]]; then return; fi
  has "$program" "$name" || return 0
  "build_$name"
  echo "$key" > "$cache/$name.key"
  echo "Built $name in $((SECONDS - start)) s"
}

# boto3, the AWS CLI, awscrt, MinIO's client and s3cmd.
build_python() {
  rm -rf "$cache/venv"
  python3 -m venv "$cache/venv"
  "$cache/venv/bin/pip" install --quiet --no-input --disable-pip-version-check -r test/contract/requirements.txt
}

build_story-go() {
  (cd "$clients/go" && GOFLAGS=-mod=readonly go build -trimpath -o "$cache/bin/story-go" .)
}

build_story-java() {
  local maven=(mvn --quiet --batch-mode --file "$clients/java/pom.xml" "-Doutput=$cache/java" compile)
  rm -rf "$cache/java"
  "${maven[@]}" --offline > /dev/null 2>&1 || "${maven[@]}"
  printf '%s\n' '#!/bin/sh' 'built="$(dirname "$0")/../java"' \
    'exec java -XX:TieredStopAtLevel=1 -cp "$built/classes:$built/lib/*" Steps "$@"' > "$cache/bin/story-java"
  chmod +x "$cache/bin/story-java"
}

build_story-rust() {
  cargo build --quiet --locked --manifest-path "$clients/rust/Cargo.toml" --target-dir "$cache/cargo"
  cp "$cache/cargo/debug/story" "$cache/bin/story-rust"
}

# A name of its own says that this Ruby has the SDK.
link_ruby() {
  rm -f "$cache/bin/ruby-aws-sdk"
  if ruby -e 'require "aws-sdk-s3"' 2> /dev/null; then
    ln -s "$(command -v ruby)" "$cache/bin/ruby-aws-sdk"
  else
    echo 'Left out: the client for Ruby, which needs the package ruby-aws-sdk-s3'
  fi
}

# The version is in the name of the file, with a link to it: what is built so does not know its own.
go_program() {
  local name="$1" package="$2" version="$3" start="$SECONDS"
  if [[ -x $cache/bin/$name-$version ]]; then return; fi
  has go "$name" || return 0
  rm -f "$cache/bin/$name" "$cache/bin/$name"-v*
  GOBIN="$cache/bin" GOFLAGS='' go install "$package@$version"
  mv "$cache/bin/$name" "$cache/bin/$name-$version"
  ln -s "$name-$version" "$cache/bin/$name"
  echo "Built $name in $((SECONDS - start)) s"
}

has() {
  command -v "$1" > /dev/null && return
  echo "Left out: $2, which needs $1"
  return 1
}

main
