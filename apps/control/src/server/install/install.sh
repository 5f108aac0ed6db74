#!/bin/sh
# Flotilla: makes this machine a host of a control plane, or brings its agent up to date.
set -eu

usage() {
  cat <<'END'
Usage: curl -fsSL URL/install.sh | sh -s -- [options]     (as root)

  --token TOKEN    join token, as the control plane shows it; not needed to bring a host up to date
  --name NAME      name of the host (default: the machine's own)
  --ca-file FILE   certificate authority of the control plane, when the machine does not know it
  --uninstall      remove the agent, its containers, images, volumes and networks from this machine
  --yes            do not ask (with --uninstall)
  --help           this text
END
}

say() { printf 'flotilla: %s\n' "$*"; }
fail() { printf 'flotilla: %s\n' "$*" >&2; exit 1; }
has_systemd() { [ -d /run/systemd/system ]; }

main() {
  url=@URL@
  root=/opt/flotilla
  unit=/etc/systemd/system/flotilla-agent.service
  settings=/etc/default/flotilla-agent
  pid_file=/run/flotilla/agent.pid
  token=''; name=''; ca_file=''; uninstall=''; yes=''
  while [ $# -gt 0 ]; do
    case "$1" in
      --token) [ $# -ge 2 ] || fail "--token needs a value"; token=$2; shift 2 ;;
      --token=*) token=${1#--token=}; shift ;;
      --name) [ $# -ge 2 ] || fail "--name needs a value"; name=$2; shift 2 ;;
      --name=*) name=${1#--name=}; shift ;;
      --ca-file) [ $# -ge 2 ] || fail "--ca-file needs a value"; ca_file=$2; shift 2 ;;
      --ca-file=*) ca_file=${1#--ca-file=}; shift ;;
      --uninstall) uninstall=1; shift ;;
      --yes|-y) yes=1; shift ;;
      --help|-h) usage; exit 0 ;;
      *) usage >&2; fail "unknown option: $1" ;;
    esac
  done
  [ "$(id -u)" -eq 0 ] || fail "this needs root: curl -fsSL $url/install.sh | sudo sh -s -- ..."
  if [ -n "$uninstall" ]; then uninstall_agent; else install_agent; fi
}

install_agent() {
  [ "$(uname -s)" = Linux ] || fail "hosts run Linux, this is $(uname -s)"
  machine=$(uname -m)
  case "$machine" in
@CASES@
    *) fail "the control plane has no agent for $machine" ;;
  esac
  joined=''
  if [ -f /var/lib/flotilla/agent/link/identity.json ]; then joined=1; fi
  if [ -z "$token" ] && [ -z "$joined" ]; then fail "--token is missing: the control plane shows one under Hosts, Add host"; fi
  if [ -n "$ca_file" ]; then
    [ -r "$ca_file" ] || fail "cannot read $ca_file"
    mkdir -p /etc/flotilla
    [ "$ca_file" = /etc/flotilla/ca.pem ] || cp "$ca_file" /etc/flotilla/ca.pem
  fi
  install_packages
  release="$root/releases/$digest"
  if [ ! -x "$release/flotilla" ]; then download_release; fi
  ln -sfn "$release" "$root/current.new" && mv -T "$root/current.new" "$root/current"
  ln -sf "$root/current/flotilla" /usr/local/bin/flotilla
  write_settings
  if [ -n "$token" ]; then
    set -- agent join "$url" --token "$token" --no-run
    [ -z "$name" ] || set -- "$@" --name "$name"
    run_flotilla "$@"
  fi
  start_agent
  for old in "$root"/releases/*; do [ "$old" = "$release" ] || rm -rf "$old"; done
  say "the agent runs. Its logs: $(log_command)"
}

install_packages() {
  missing=''
  for package in $packages; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing="$missing $package"
  done
  [ -n "$missing" ] || return 0
  command -v apt-get >/dev/null || fail "these packages are missing, and there is no apt-get to install them:$missing"
  say "installing Debian packages:$missing"
  DEBIAN_FRONTEND=noninteractive apt-get update -qq
  # Only names of packages are in it, one word each.
  # shellcheck disable=SC2086
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
}

download_release() {
  mkdir -p "$root/releases"
  scratch=$(mktemp -d "$root/.download.XXXXXX")
  trap 'rm -rf "$scratch"' EXIT
  say "downloading the agent from $url"
  set -- -fsSL "$url/install/$file" -o "$scratch/agent.tar.gz"
  [ ! -f /etc/flotilla/ca.pem ] || set -- --cacert /etc/flotilla/ca.pem "$@"
  curl "$@" || fail "the download failed"
  printf '%s  %s\n' "$digest" "$scratch/agent.tar.gz" | sha256sum --check --status || fail "the download is damaged: its digest is not the expected one"
  mkdir "$scratch/tree"
  tar -xzf "$scratch/agent.tar.gz" -C "$scratch/tree" --no-same-owner
  rm -rf "$release"
  mv "$scratch/tree" "$release"
  chmod 755 "$release"
}

write_settings() {
  umask_before=$(umask); umask 077
  {
    echo "# Environment of Flotilla's agent. Written by its installer."
    [ ! -f /etc/flotilla/ca.pem ] || echo "NODE_EXTRA_CA_CERTS=/etc/flotilla/ca.pem"
  } > "$settings.new"
  mv "$settings.new" "$settings"
  umask "$umask_before"
  has_systemd || return 0
  cat > "$unit" <<'END'
[Unit]
Description=Flotilla agent (container engine)
Documentation=https://docs.docker.com/reference/api/engine/
After=network-online.target
Wants=network-online.target

[Service]
EnvironmentFile=-/etc/default/flotilla-agent
ExecStart=/opt/flotilla/current/flotilla agent run
# Containers do not depend on the agent: only its own process is ended, and their cgroups are its to make.
KillMode=process
Delegate=yes
Restart=always
RestartSec=2
OOMScoreAdjust=-500
LimitNOFILE=1048576
TasksMax=infinity

[Install]
WantedBy=multi-user.target
END
}

run_flotilla() {
  if [ -f /etc/flotilla/ca.pem ]; then NODE_EXTRA_CA_CERTS=/etc/flotilla/ca.pem "$root/current/flotilla" "$@"; else "$root/current/flotilla" "$@"; fi
}

start_agent() {
  if has_systemd; then
    systemctl daemon-reload
    systemctl enable --quiet flotilla-agent
    systemctl restart flotilla-agent
    return 0
  fi
  stop_agent
  mkdir -p /run/flotilla /var/log
  say "systemd does not run here: the agent is started now, and must be started at boot by 'flotilla agent run'"
  (
    if [ -f /etc/flotilla/ca.pem ]; then export NODE_EXTRA_CA_CERTS=/etc/flotilla/ca.pem; fi
    exec setsid "$root/current/flotilla" agent run </dev/null >>/var/log/flotilla-agent.log 2>&1
  ) &
  echo $! > "$pid_file"
  tries=0
  until [ -S /run/flotilla/engine.sock ]; do
    tries=$((tries + 1))
    [ "$tries" -le 300 ] || fail "the agent does not come up: see /var/log/flotilla-agent.log"
    sleep 0.1
  done
}

# Ends the agent and nothing else: containers go on.
stop_agent() {
  if has_systemd; then
    systemctl stop flotilla-agent 2>/dev/null || true
    return 0
  fi
  [ -f "$pid_file" ] || return 0
  pid=$(cat "$pid_file")
  if [ -r "/proc/$pid/cmdline" ] && tr '\0' ' ' < "/proc/$pid/cmdline" | grep -q 'agent run'; then
    kill "$pid" 2>/dev/null || true
    tries=0
    while [ -d "/proc/$pid" ] && [ "$tries" -lt 300 ]; do tries=$((tries + 1)); sleep 0.1; done
    [ ! -d "/proc/$pid" ] || fail "the agent with process id $pid does not end"
  fi
  rm -f "$pid_file"
}

log_command() { if has_systemd; then echo "journalctl -u flotilla-agent"; else echo "/var/log/flotilla-agent.log"; fi; }

uninstall_agent() {
  if [ -z "$yes" ]; then
    # The script itself comes by standard input.
    [ -r /dev/tty ] || fail "--uninstall removes all containers, images and volumes of this machine: confirm with --yes"
    printf 'Remove the agent and all its containers, images and volumes from this machine? [y/N] ' > /dev/tty
    read -r answer < /dev/tty
    case "$answer" in y|Y|yes) ;; *) fail "nothing was removed" ;; esac
  fi
  stop_agent
  if [ -x "$root/current/flotilla" ]; then run_flotilla agent uninstall --yes; fi
  if has_systemd; then
    systemctl disable --quiet flotilla-agent 2>/dev/null || true
    rm -f "$unit"
    systemctl daemon-reload
  fi
  rm -rf "$root" "$settings" /etc/flotilla /var/log/flotilla-agent.log
  [ "$(readlink /usr/local/bin/flotilla 2>/dev/null || true)" != "$root/current/flotilla" ] || rm -f /usr/local/bin/flotilla
  say "removed. Debian packages stay; remove the host in the control plane too."
}

main "$@"
