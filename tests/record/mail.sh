#!/usr/bin/env bash
# Records tests/traces/mail.pcap and the truth beside it, mail.expected.json, and writes their sums
# into the README there.
#
#   sudo tests/record/mail.sh
#
# Real servers (Postfix on port 25, aiosmtpd on 587) and real clients (swaks, Python's smtplib, raw
# sockets) talk on a loopback interface of their own: everything runs in private network, mount,
# host-name and process namespaces, so nothing of this machine is changed, named or left running.
# Postfix is unpacked from its Debian package into an overlay, not installed.
#
# Needs root, Linux with overlayfs, and: unshare, ip, tcpdump, tshark, swaks, openssl, dpkg-deb,
# python3 with aiosmtpd; and apt-get to fetch Postfix, or its package's path in POSTFIX_DEB.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
traces=$(cd "$here/../traces" && pwd)

fail() {
    echo "mail.sh: $*" >&2
    exit 1
}

# Part one: check what is needed, fetch Postfix, enter the namespaces.
if [[ ${1:-} != --inside ]]; then
    [[ $(id -u) == 0 ]] || fail "must run as root (for namespaces and ports 25 and 587)"
    for tool in unshare ip tcpdump tshark swaks openssl dpkg-deb python3; do
        command -v "$tool" >/dev/null || fail "$tool is missing; install it first"
    done
    python3 -c 'import aiosmtpd' 2>/dev/null || fail "aiosmtpd is missing: pip install aiosmtpd"

    work=$(mktemp -d /tmp/record-mail.XXXXXX)
    trap 'rm -rf "$work"' EXIT
    if [[ -n ${POSTFIX_DEB:-} ]]; then
        cp "$POSTFIX_DEB" "$work/postfix.deb"
    else
        # Run from its folder, because apt-get downloads to where it is called.
        (cd "$work" && apt-get -qq -o APT::Sandbox::User=root download postfix >/dev/null) ||
            fail "cannot fetch Postfix: run apt-get update, or set POSTFIX_DEB to its .deb"
        mv "$work"/postfix_*.deb "$work/postfix.deb"
    fi
    unshare --net --mount --uts --pid --fork --kill-child "$0" --inside "$work"

    # Only a good recording replaces the old one.
    cp "$work/mail.pcap" "$work/mail.expected.json" "$traces/"
    for file in mail.pcap mail.expected.json; do
        sum=$(sha256sum "$traces/$file" | cut -d ' ' -f 1)
        sed -i "/^| \`$file\` /s/[0-9a-f]\{64\}/$sum/" "$traces/README.md"
        echo "$sum  $traces/$file"
    done
    exit
fi

# Part two: inside. All processes started here end with it.
work=$2
hostname client.example.net
ip link set lo mtu 1500 up
# Without this the kernel shows segments of many times the MTU on loopback.
ip link set lo gso_max_size 1500 gso_max_segs 1


# This machine's files with Postfix's on top; what is written goes to memory and is forgotten.
mkdir "$work/stage"
mount -t tmpfs none "$work/stage"
mkdir "$work/stage"/{postfix,upper,scratch,root}
dpkg-deb -x "$work/postfix.deb" "$work/stage/postfix"
if [[ -L /lib && -d $work/stage/postfix/lib ]]; then # or the package's folder hides the link
    cp -a "$work/stage/postfix/lib" "$work/stage/postfix/usr/"
    rm -r "$work/stage/postfix/lib"
fi
root=$work/stage/root
mount -t overlay none "$root" -o \
    "lowerdir=$work/stage/postfix:/,upperdir=$work/stage/upper,workdir=$work/stage/scratch" ||
    fail "cannot mount an overlay; is overlayfs in this kernel?"
mount --rbind /dev "$root/dev"
mount -t proc none "$root/proc"

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 \
    -subj /CN=mx.example.org -addext subjectAltName=DNS:mx.example.org \
    -keyout "$work/key.pem" -out "$work/cert.pem" 2>/dev/null
cp "$work/key.pem" "$work/cert.pem" "$root/etc/postfix/"

# Accepts mail for five people at example.org, refuses the rest, and delivers nothing anywhere.
cat >"$root/etc/postfix/main.cf" <<'CF'
compatibility_level = 3.6
myhostname = mx.example.org
mydestination = example.org
mynetworks =
inet_interfaces = loopback-only
maillog_file = /var/log/mail.log
smtpd_banner = $myhostname ESMTP $mail_name
smtpd_peername_lookup = no
smtputf8_enable = yes
smtpd_tls_security_level = may
smtpd_tls_cert_file = /etc/postfix/cert.pem
smtpd_tls_key_file = /etc/postfix/key.pem
smtpd_relay_restrictions = reject_unauth_destination
alias_maps =
local_transport = discard
local_recipient_maps = inline:{ {alice@example.org = x}, {bob@example.org = x}, {carol@example.org = x}, {dave@example.org = x}, {jörg@example.org = x} }
CF
cat >"$work/stage/start" <<'START'
set -e
groupadd --system postdrop
useradd --system --no-create-home --home-dir /var/spool/postfix postfix
cp /usr/share/postfix/master.cf.dist /etc/postfix/master.cf
cp /usr/share/postfix/dynamicmaps.cf /etc/postfix/
postconf -F '*/*/chroot = n'
chown postfix:postfix /var/lib/postfix
postfix set-permissions || true # complains of documents that this package leaves out
postfix start
START
PATH=$PATH:/usr/sbin chroot "$root" bash -s <"$work/stage/start" >"$work/postfix.log" 2>&1 || {
    cat "$work/postfix.log" >&2
    fail "Postfix does not start"
}

# Before the capture starts, because aiosmtpd makes a test connection to itself.
python3 -B "$here/mail_submission.py" >"$work/submission.log" 2>&1 &
submission=$!
await() { # await PID FILE TEXT: until the process has written it
    until grep -qs "$3" "$2"; do
        kill -0 "$1" 2>/dev/null || fail "$(cat "$2")"
        sleep 0.1
    done
}
await $submission "$work/submission.log" ready

tcpdump -i lo -Z root -U -B 16384 --immediate-mode -w "$work/mail.pcap" tcp 2>"$work/tcpdump.log" &
tcpdump=$!
await $tcpdump "$work/tcpdump.log" 'listening on'

python3 -B "$here/mail_sessions.py" "$work/mail.expected.json" "$work/cert.pem" || {
    tail -20 "$root/var/log/mail.log" >&2
    fail "a session went wrong"
}
sleep 0.5 # the last packets
kill -INT $tcpdump
wait $tcpdump || true
PATH=$PATH:/usr/sbin chroot "$root" postfix stop >/dev/null 2>&1 || true

# Is it a good recording? Nothing lost, no session half-open, no name of this machine.
count() { tshark -r "$work/mail.pcap" -Y "$1" 2>/dev/null | wc -l; }
sessions=$(grep -c '"client_port"' "$work/mail.expected.json")
grep -q '^0 packets dropped by kernel' "$work/tcpdump.log" || fail "tcpdump dropped packets"
[[ $(count 'tcp.flags.syn==1 && tcp.flags.ack==0') == "$sessions" ]] || fail "not $sessions SYNs"
[[ $(count 'tcp.flags.syn==1 && tcp.flags.ack==1') == "$sessions" ]] || fail "a SYN-ACK is missing"
[[ $(count 'tcp.flags.fin==1') == $((2 * sessions)) ]] || fail "a session is not closed"
[[ $(count 'tcp.flags.reset==1 || tcp.analysis.lost_segment || tcp.analysis.retransmission') == 0 ]] ||
    fail "there are resets, losses or retransmissions"
[[ $(count 'frame.len > 1514') == 0 ]] || fail "there are frames larger than the MTU"
[[ $(stat -c %s "$work/mail.pcap") -le 307200 ]] || fail "the capture is over 300 KiB"
! grep -qaiF -e "$(uname -r)" -e "$(cat /etc/hostname)." -e "@$(cat /etc/hostname)" "$work/mail.pcap" ||
    fail "the capture names this machine"
