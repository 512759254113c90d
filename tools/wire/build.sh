#!/usr/bin/env bash
# Builds the Go and Java programs into a folder: bin/, lib/ and classes/. The Go programs are not optimized, because
# tests use them for seconds, and building them takes longer than that.
set -euo pipefail
cd "$(dirname "$0")"
folder=$1
mkdir -p "$folder/bin" "$folder/lib" "$folder/classes"
folder=$(cd "$folder" && pwd)

build_go() {
  cd go
  go build -gcflags='all=-N -l' -ldflags='-s -w' -o "$folder/bin" ./...
}

build_java() {
  cd java
  mvn -q -B org.apache.maven.plugins:maven-dependency-plugin:2.8:copy-dependencies \
    -DincludeScope=runtime "-DoutputDirectory=$folder/lib"
  javac -d "$folder/classes" -cp "$folder/lib/*" ./*.java
}

build_go &
go=$!
build_java
wait "$go"
