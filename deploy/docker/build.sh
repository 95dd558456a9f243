#!/usr/bin/env bash
# Builds Skipring's images, with docker, podman or buildah, whichever works here.
#
#   deploy/docker/build.sh [--local-base] [coordinator] [worker-cpu] [worker-cuda]
#
# ENGINE chooses one; BUILD_FLAGS are handed to it, such as volumes with certificates; NODE_IMAGE and
# RUNTIME_IMAGE name other bases.
#
# With no name: coordinator and worker-cpu. --local-base asks no registry for the two base images: a
# Debian 12 is made by debootstrap (as root), and Node.js and npm are those of this machine.
set -euo pipefail
cd "$(dirname "$0")/../.."

NODE_IMAGE=${NODE_IMAGE:-}
RUNTIME_IMAGE=${RUNTIME_IMAGE:-}
VERSION=$(sed -n 's/^  "version": "\(.*\)",$/\1/p' package.json)
REVISION=$(git rev-parse --short=12 HEAD 2>/dev/null || echo unknown)
DEBIAN=bookworm

targets=()
local_base=false
for argument in "$@"; do
  case $argument in
    --local-base) local_base=true ;;
    coordinator | worker-cpu | worker-cuda) targets+=("$argument") ;;
    *)
      echo "build.sh: unknown argument '$argument': expected --local-base, coordinator, worker-cpu or worker-cuda" >&2
      exit 2
      ;;
  esac
done
[ ${#targets[@]} -gt 0 ] || targets=(coordinator worker-cpu)

engine=${ENGINE:-}
for candidate in docker podman buildah; do
  [ -n "$engine" ] && break
  # A docker command without its daemon can build nothing.
  ! "$candidate" info > /dev/null 2>&1 || engine=$candidate
done
[ -n "$engine" ] || { echo 'build.sh: none of docker, podman and buildah works here' >&2; exit 7; }

# Imports the tree at $1 as an image named $2.
import_image() {
  if [ "$engine" = buildah ]; then
    local container
    container=$(buildah from scratch)
    buildah add -q "$container" "$1" / > /dev/null
    buildah commit -q --rm "$container" "$2" > /dev/null
  else
    tar -C "$1" -c . | "$engine" import - "$2" > /dev/null
  fi
}

make_local_base() {
  local root
  root=$(mktemp -d)
  # shellcheck disable=SC2064 # The directory of now.
  trap "rm -rf '$root'" EXIT
  echo "making a base of Debian $DEBIAN"
  debootstrap --variant=minbase "$DEBIAN" "$root/debian" > "$root/debootstrap.log" 2>&1 ||
    { tail -20 "$root/debootstrap.log" >&2; exit 1; }
  rm -rf "$root/debian/var/cache/apt/archives"/*.deb "$root/debian/var/lib/apt/lists"/*
  # The package sources that this machine uses, and how it reaches them.
  rm "$root/debian/etc/apt/sources.list"
  cp -rT /etc/apt "$root/debian/etc/apt"
  import_image "$root/debian" skipring-local/debian
  local node npm
  node=$(command -v node)
  npm=$(dirname "$(dirname "$(realpath "$(command -v npm)")")")
  install -D "$node" "$root/debian/usr/local/bin/node"
  mkdir -p "$root/debian/usr/local/lib/node_modules"
  cp -r "$npm" "$root/debian/usr/local/lib/node_modules/npm"
  ln -s ../lib/node_modules/npm/bin/npm-cli.js "$root/debian/usr/local/bin/npm"
  ln -s ../lib/node_modules/npm/bin/npx-cli.js "$root/debian/usr/local/bin/npx"
  import_image "$root/debian" skipring-local/node
  NODE_IMAGE=localhost/skipring-local/node
  RUNTIME_IMAGE=localhost/skipring-local/debian
}

! $local_base || make_local_base

arguments=(--file deploy/docker/Dockerfile --build-arg "VERSION=$VERSION" --build-arg "REVISION=$REVISION")
[ -z "$NODE_IMAGE" ] || arguments+=(--build-arg "NODE_IMAGE=$NODE_IMAGE")
[ -z "$RUNTIME_IMAGE" ] || arguments+=(--build-arg "RUNTIME_IMAGE=$RUNTIME_IMAGE")
case $engine in
  # Needs neither user namespaces nor a daemon. Only this format has health checks.
  buildah) build=(buildah build --format docker --isolation chroot --layers --ignorefile deploy/docker/Dockerfile.dockerignore) ;;
  *) build=("$engine" build) ;;
esac
read -ra extra <<< "${BUILD_FLAGS:-}"
for target in "${targets[@]}"; do
  started=$SECONDS
  "${build[@]}" "${arguments[@]}" "${extra[@]}" --target "$target" --tag "skipring/$target:$VERSION" .
  echo "skipring/$target:$VERSION: built in $((SECONDS - started)) s"
done
"$engine" images | grep skipring/
