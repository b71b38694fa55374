#!/usr/bin/env bash
# Records SMB conversations and writes them as flow scripts to parsers/smb/tests/recorded/.
#
#   sudo tests/record/smb.sh [--keep FILE.pcap]
#
# Samba's server and its client talk on a loopback interface of their own: everything runs in
# private network, mount, host-name and process namespaces, so nothing of this machine is changed,
# named or left running.
#
# What a script demands of the parser (its lines with `=`) is kept by name of the script: look at what
# a new recording makes of them before it is committed.
#
# Needs root, Linux, and: unshare, ip, tcpdump, tshark, smbd, smbclient, python3 (or PYTHON) with impacket.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
recorded=$(cd "$here/../.." && pwd)/parsers/smb/tests/recorded

fail() {
    echo "smb.sh: $*" >&2
    exit 1
}

# Part one: check what is needed, enter the namespaces.
if [[ ${1:-} != --inside ]]; then
    [[ $(id -u) == 0 ]] || fail "must run as root (for namespaces and port 445)"
    for tool in unshare ip tcpdump tshark smbd smbclient smbpasswd python3; do
        command -v "$tool" >/dev/null || fail "$tool is missing; install it first"
    done
    work=$(mktemp -d /tmp/record-smb.XXXXXX)
    trap 'rm -rf "$work"' EXIT
    unshare --net --mount --uts --pid --fork --kill-child "$0" --inside "$work"
    if [[ ${1:-} == --keep ]]; then
        cp "$work/smb.pcap" "$2"
    fi
    "${PYTHON:-python3}" -B "$here/smb_flows.py" "$work/smb.pcap" "$work/names" "$recorded"
    exit
fi

# Part two: inside. All processes started here end with it.
work=$2
hostname workstation7
ip link set lo mtu 1500 up
# Without this the kernel shows segments of many times the MTU on loopback.
ip link set lo gso_max_size 1500 gso_max_segs 1
mount -t proc none /proc

mkdir -p "$work"/{private,lock,state,cache,pid,log,share,rpc}
cp /etc/passwd "$work/passwd"
echo 'alice:x:4242:65534:::/bin/false' >>"$work/passwd"
mount --bind "$work/passwd" /etc/passwd
chmod 755 "$work"
chmod 777 "$work/share"

configure() { # configure MIN_PROTOCOL: writes the server's configuration
    cat >"$work/smb.conf" <<CF
[global]
netbios name = FILESRV
workgroup = EXAMPLE
server min protocol = $1
server multi channel support = no
map to guest = Bad User
guest account = nobody
restrict anonymous = 0
load printers = no
disable spoolss = yes
interfaces = lo
bind interfaces only = yes
private dir = $work/private
lock directory = $work/lock
state directory = $work/state
cache directory = $work/cache
pid directory = $work/pid
ncalrpc dir = $work/rpc
log file = $work/log/smbd.log
smb2 leases = yes
[docs]
path = $work/share
read only = no
guest ok = no
[public]
path = $work/share
read only = yes
guest ok = yes
CF
    cat >"$work/client.conf" <<CF
[global]
netbios name = WORKSTATION7
workgroup = EXAMPLE
client min protocol = NT1
private dir = $work/private
lock directory = $work/lock
state directory = $work/state
cache directory = $work/cache
CF
}

serve() { # serve MIN_PROTOCOL: starts the server
    configure "$1"
    smbd --configfile "$work/smb.conf" --foreground --no-process-group --debug-stdout \
        >"$work/log/out" 2>&1 &
    smbd=$!
    for _ in $(seq 100); do
        if (exec 3<>/dev/tcp/127.0.0.1/445) 2>/dev/null; then return; fi
        kill -0 $smbd 2>/dev/null || fail "$(tail -20 "$work/log/out")"
        sleep 0.1
    done
    fail "the server does not answer"
}

serve NT1
printf 'Secret-1\nSecret-1\n' | smbpasswd -c "$work/smb.conf" -s -a alice >/dev/null

head -c 3000 /dev/zero | tr '\0' x >"$work/report.txt"
printf 'short\n' >"$work/note.txt"
cd "$work"

tcpdump -i lo -U -B 16384 --immediate-mode -w "$work/smb.pcap" tcp port 445 2>"$work/tcpdump.log" &
tcpdump=$!
until grep -qs 'listening on' "$work/tcpdump.log"; do sleep 0.1; done

patience=20
client() { # client NAME ARGUMENTS...: one connection, which becomes NAME.flow
    echo "$1" >>"$work/names"
    timeout $patience smbclient --configfile "$work/client.conf" "${@:2}" >>"$work/log/client" 2>&1 || true
    sleep 0.3
}

alice=(-U 'EXAMPLE\alice%Secret-1')
client smb311 //127.0.0.1/docs "${alice[@]}" -m SMB3_11 -c \
    'put report.txt; mkdir "Jörg ☃"; rename report.txt "Jörg ☃/final.txt"; get "Jörg ☃/final.txt" got.txt; del "Jörg ☃/final.txt"; get missing.txt'
client smb202 //127.0.0.1/docs "${alice[@]}" -m SMB2_02 -c 'put note.txt; ls; rmdir "Jörg ☃"'
client smb1 //127.0.0.1/docs "${alice[@]}" -m NT1 -c 'get note.txt got.txt'
client wrong-password //127.0.0.1/docs -U 'EXAMPLE\alice%wrong' -m SMB3_00 -c ls
client anonymous //127.0.0.1/IPC$ -U % -m SMB3_11 -c quit
client guest //127.0.0.1/public -U 'nobody-known%x' -m SMB2_10 -c 'get note.txt got.txt; put note.txt other.txt'
client encrypted //127.0.0.1/docs "${alice[@]}" -m SMB3_11 --client-protection=encrypt -c 'get note.txt got.txt'
# Waits for changes until it is ended: the request is answered late, and once not at all.
patience=3
client notify //127.0.0.1/docs "${alice[@]}" -m SMB3_11 -c 'mkdir watched; notify watched' &
notify=$!
sleep 1
"${PYTHON:-python3}" -B "$here/smb_touch.py" touch &
wait $! || fail "smb_touch.py"
echo touch >>"$work/names"
wait $notify
sleep 0.5
kill -INT $tcpdump
wait $tcpdump || true
grep -q '^0 packets dropped by kernel' "$work/tcpdump.log" || fail "tcpdump dropped packets"
kill $smbd
