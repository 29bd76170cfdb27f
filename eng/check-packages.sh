#!/usr/bin/env bash
# Packs the library, checks what the packages say of themselves, and uses them as a stranger would: a new console project outside the
# repository, with a feed and a package folder of its own. The build without libtorch must name the package to add; the program must then
# run from the build's and from the publish's output. Exits with zero when all of that holds.
set -euo pipefail
repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# A version never seen before, so that no package cache can answer with an older build.
version="0.0.0-check.$(date -u +%Y%m%d%H%M%S)"
dotnet pack "$repository/MLTransfer.sln" -c Release -p:PackageVersion="$version" -o "$work/feed"
dotnet run "$repository/eng/CheckPackages.cs" -- "$work/feed" "$(git -C "$repository" rev-parse HEAD)" "$repository"

# The machine's package folder serves the packages of others without a second download; this run's own go to a folder that is removed.
machine_packages=${NUGET_PACKAGES:-$(dotnet nuget locals global-packages --list --force-english-output | sed 's/^global-packages: //')}
unset NUGET_PACKAGES
mkdir "$work/consumer"
cat > "$work/consumer/nuget.config" <<CONFIG
<configuration>
  <config>
    <add key="globalPackagesFolder" value="$work/packages" />
  </config>
  <fallbackPackageFolders>
    <add key="machine" value="$machine_packages" />
  </fallbackPackageFolders>
  <packageSources>
    <add key="mltransfer" value="$work/feed" />
  </packageSources>
</configuration>
CONFIG

cd "$work/consumer"
dotnet new console --no-restore --force
cp "$repository/eng/package-consumer/Program.cs" Program.cs
dotnet add package MLTransfer --version "$version" --no-restore

dotnet build -c Release | tee build.log
add_libtorch=$(grep -om 1 'dotnet add package libtorch-cpu-[a-z0-9-]* --version [0-9.]*' build.log) ||
  { echo "The build without libtorch did not name the package to add." >&2; exit 1; }
$add_libtorch
dotnet build -c Release | tee build.log
if grep -q MLT0001 build.log; then
  echo "The build with libtorch still asks for it." >&2
  exit 1
fi
dotnet run -c Release --no-build

dotnet publish -c Release --use-current-runtime --self-contained false -o published
if [ -e published/runtimes ]; then
  echo "The publish for one runtime holds the native libraries of others." >&2
  exit 1
fi
cd "$work"
consumer/published/consumer
