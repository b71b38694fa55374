//! A live interface, through libpcap.

use std::{env, fmt, thread, time::Duration};

use flowcell_core::{LinkType, RawFrame, Timestamp};
use pcap::{Active, Capture, Device, Linktype};

use super::{
    CaptureError, Filter, Frame, MAX_CAPLEN, Next, Precision, Source, Stats, dlt, filter::message,
};

/// Size of the kernel's ring, in bytes: 50 ms of a saturated 10 Gbit/s interface.
const RING: i32 = 64 * 1024 * 1024;

/// How long the kernel may hold back a block of its ring that is not full, in milliseconds.
const HOLD_BACK: i32 = 10;

/// How long to wait when the ring is empty: short at first, since a quiet moment is rarely long.
const WAIT: [Duration; 3] =
    [Duration::from_micros(500), Duration::from_millis(2), Duration::from_millis(10)];

/// How many waits of each length before the next longer one.
const WAITS: usize = 4;

/// Captures from one interface.
///
/// The wait for frames is a short sleep, not a blocking read: Linux delivers no time-out while
/// nothing arrives, so a blocked reader would never run its timers.
pub struct LiveSource {
    interface: String,
    capture: Capture<Active>,
    link: LinkType,
    precision: Precision,
    frames: u64,
    /// Empty-handed reads in a row.
    idle: usize,
    ended: bool,
    /// Drops counted so far, and libpcap's 32-bit counters as last seen, which wrap.
    dropped: Stats,
    seen: (u32, u32),
}

impl LiveSource {
    /// Starts capturing on `interface`, in promiscuous mode where it has one, with a snaplen of
    /// [`MAX_CAPLEN`]. The kernel applies `filter`.
    ///
    /// # Errors
    ///
    /// There is no such interface, no permission, or libpcap refuses the interface or the filter.
    pub fn open(interface: &str, filter: Option<&str>) -> Result<Self, CaptureError> {
        if let Some(filter) = filter {
            Filter::new(filter)?; // a bad filter is told even where capturing is not allowed
        }
        let precision = best_precision(interface);
        // Some interfaces refuse promiscuous mode; what they give without it is better than nothing.
        let capture = activate(interface, precision, true)
            .or_else(|error| activate(interface, precision, false).map_err(|_| error))
            .and_then(Capture::setnonblock)
            .map_err(|error| explain(interface, &error))?;
        let Linktype(dlt) = capture.get_datalink();
        let mut source = Self {
            interface: interface.to_owned(),
            capture,
            link: dlt::to_link(dlt),
            precision,
            frames: 0,
            idle: 0,
            ended: false,
            dropped: Stats::default(),
            seen: (0, 0),
        };
        if let Some(filter) = filter {
            source.capture.filter(filter, true).map_err(|error| CaptureError::Filter {
                filter: filter.to_owned(),
                message: message(&error),
            })?;
        }
        Ok(source)
    }

    /// Returns the interface's link type.
    #[must_use]
    pub fn link(&self) -> LinkType {
        self.link
    }
}

impl Source for LiveSource {
    fn next(&mut self) -> Result<Next<'_>, CaptureError> {
        if self.ended {
            return Ok(Next::End);
        }
        match self.capture.next_packet() {
            Ok(packet) => {
                self.frames += 1;
                self.idle = 0;
                let raw = RawFrame {
                    number: self.frames,
                    ts: timestamp(packet.header.ts, self.precision),
                    link: self.link,
                    len: packet.header.len,
                    bytes: packet.data,
                };
                Ok(Next::Frame(Frame { raw, precision: self.precision, interface: 0 }))
            }
            Err(error) if nothing_yet(&error) => {
                let step = (self.idle / WAITS).min(WAIT.len() - 1);
                self.idle = self.idle.saturating_add(1);
                thread::sleep(WAIT[step]);
                Ok(Next::Idle)
            }
            Err(pcap::Error::NoMorePackets) => {
                self.ended = true;
                Ok(Next::End)
            }
            Err(error) => {
                self.ended = true;
                Err(CaptureError::Live {
                    interface: self.interface.clone(),
                    frames: self.frames,
                    message: message(&error),
                })
            }
        }
    }

    fn stats(&mut self) -> Stats {
        // An interface that has vanished no longer counts; what was counted stays.
        if let Ok(now) = self.capture.stats() {
            let (kernel, interface) = self.seen;
            self.dropped.dropped_kernel += u64::from(now.dropped.wrapping_sub(kernel));
            self.dropped.dropped_interface += u64::from(now.if_dropped.wrapping_sub(interface));
            self.seen = (now.dropped, now.if_dropped);
        }
        Stats { received: self.frames, ..self.dropped }
    }
}

impl fmt::Debug for LiveSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LiveSource")
            .field("interface", &self.interface)
            .field("link", &self.link)
            .field("frames", &self.frames)
            .finish_non_exhaustive()
    }
}

fn activate(
    interface: &str,
    precision: Precision,
    promiscuous: bool,
) -> Result<Capture<Active>, pcap::Error> {
    Capture::from_device(interface)?
        .snaplen(MAX_CAPLEN.cast_signed())
        .promisc(promiscuous)
        .timeout(HOLD_BACK)
        .buffer_size(RING)
        .precision(match precision {
            Precision::Micro => pcap::Precision::Micro,
            Precision::Nano => pcap::Precision::Nano,
        })
        .open()
}

/// Whether a read came back empty-handed; netlink devices (nflog) tell it by errno.
fn nothing_yet(error: &pcap::Error) -> bool {
    match error {
        pcap::Error::TimeoutExpired => true,
        pcap::Error::PcapError(message) => message.contains("temporarily unavailable"), // EAGAIN
        _ => false,
    }
}

/// Network interfaces have nanoseconds on Linux; libpcap's other devices and systems do not, and
/// the wrapper does not tell whether the request was granted.
fn best_precision(interface: &str) -> Precision {
    const COARSE: [&str; 5] = ["nflog", "nfqueue", "usbmon", "bluetooth", "dbus"];
    if cfg!(target_os = "linux") && !COARSE.iter().any(|prefix| interface.starts_with(prefix)) {
        Precision::Nano
    } else {
        Precision::Micro
    }
}

/// Turns libpcap's time, whose fraction is in the precision asked for, into ours.
fn timestamp(ts: libc::timeval, precision: Precision) -> Timestamp {
    let unit = match precision {
        Precision::Micro => 1_000,
        Precision::Nano => 1,
    };
    let nanos = i128::from(ts.tv_sec) * 1_000_000_000 + i128::from(ts.tv_usec) * unit;
    Timestamp(u64::try_from(nanos.max(0)).unwrap_or(u64::MAX))
}

/// Finds out why an interface could not be opened, and what to do.
fn explain(interface: &str, error: &pcap::Error) -> CaptureError {
    let (interface, message) = (interface.to_owned(), message(error));
    if let Ok(devices) = Device::list()
        && devices.iter().all(|device| device.name != interface)
    {
        let names: Vec<String> = devices.into_iter().map(|device| device.name).collect();
        return CaptureError::NoInterface { interface, available: names.join(", ") };
    }
    let lower = message.to_lowercase();
    if ["permission", "permitted", "cap_net_raw"].iter().any(|word| lower.contains(word)) {
        let program = env::current_exe()
            .map_or_else(|_| "flowcell".to_owned(), |path| path.display().to_string());
        return CaptureError::Permission { interface, message, program };
    }
    CaptureError::Live { interface, frames: 0, message }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_interface_is_told_with_those_there_are() {
        let text = LiveSource::open("fc-missing0", None).unwrap_err().to_string();
        assert!(text.starts_with("fc-missing0: no such interface; there are: "), "{text}");
    }

    #[test]
    fn a_bad_filter_is_told_before_anything_is_opened() {
        let error = LiveSource::open("fc-missing0", Some("tcp prot 25")).unwrap_err();
        assert!(matches!(error, CaptureError::Filter { .. }), "{error}");
    }

    #[test]
    fn time_is_in_the_precision_asked_for() {
        let ts = libc::timeval { tv_sec: 2, tv_usec: 5 };
        assert_eq!(timestamp(ts, Precision::Nano), Timestamp(2_000_000_005));
        assert_eq!(timestamp(ts, Precision::Micro), Timestamp(2_000_005_000));
        let before = libc::timeval { tv_sec: -1, tv_usec: 0 };
        assert_eq!(timestamp(before, Precision::Nano), Timestamp(0));
    }
}
