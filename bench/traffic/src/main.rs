//! `flowcell-traffic`: captures made to order.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::{Args, Parser, Subcommand};
use flowcell_traffic::special::{self, OpenFlows};
use flowcell_traffic::{Impairments, Mix, Output, Rate, Summary, Weights, write_pcap};

/// Captures made to order: the same options give the same bytes on every machine. The capture is
/// a pcap file with Ethernet frames and nanoseconds; what it holds is told on standard error.
#[derive(Debug, Parser)]
#[command(name = "flowcell-traffic", version, max_term_width = 100)]
struct Options {
    #[command(subcommand)]
    command: Command,

    /// Write the capture to this file; `-` is standard output.
    #[arg(short = 'o', long, value_name = "FILE", default_value = "-", global = true)]
    output: PathBuf,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Flows of mail, web, DNS and more, with what networks do to them.
    Mix(MixOptions),
    /// TCP flows that stay open, then rounds of one segment for each of them.
    Open {
        /// Flows.
        #[arg(long, default_value_t = 1000)]
        flows: u32,
        /// Segments for each flow after all are open.
        #[arg(long, default_value_t = 1)]
        rounds: u32,
        /// Payload of each segment in bytes.
        #[arg(long, default_value_t = 100)]
        payload: u16,
        /// Another number gives other bytes in another order.
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
    /// SYNs of many addresses, of which nothing follows.
    SynFlood {
        /// Flows.
        #[arg(long, default_value_t = 100_000)]
        flows: u64,
    },
    /// Fragments of datagrams that never become complete.
    FragmentBomb {
        /// Datagrams.
        #[arg(long, default_value_t = 100_000)]
        datagrams: u64,
    },
    /// Flows with a single byte in each segment.
    OneByteSegments {
        /// Flows.
        #[arg(long, default_value_t = 10)]
        flows: u64,
        /// Bytes of each flow.
        #[arg(long, default_value_t = 100_000)]
        bytes: u32,
        /// Send every second byte first, so that a hole is before each.
        #[arg(long)]
        holes: bool,
    },
    /// Flows with a hole that is never filled, and many bytes behind it.
    Hole {
        /// Flows.
        #[arg(long, default_value_t = 10)]
        flows: u64,
        /// Bytes behind the hole of each flow.
        #[arg(long, default_value_t = 10_000_000)]
        bytes: u64,
    },
    /// Flows with addresses and ports that weak hashes put in one place.
    Collide {
        /// Flows.
        #[arg(long, default_value_t = 100_000)]
        flows: u64,
    },
    /// Flows in VXLAN in GRE in VXLAN and so on, and the same ones without a tunnel.
    TunnelTower {
        /// Flows in tunnels; as many go beside them.
        #[arg(long, default_value_t = 10)]
        flows: u64,
        /// Tunnels around each frame.
        #[arg(long, default_value_t = 8, value_parser = layers())]
        layers: u16,
    },
}

#[derive(Debug, Args)]
struct MixOptions {
    /// Flows in all.
    #[arg(long, default_value_t = 1000)]
    flows: u64,
    /// Flows in progress at once.
    #[arg(long, default_value_t = 100)]
    concurrent: usize,
    /// Another number gives another mix.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    #[command(flatten)]
    weights: WeightOptions,
    /// Share of flows over IPv6.
    #[arg(long, value_name = "RATE", default_value = "0.2")]
    v6: Rate,
    /// Smallest payload of a full TCP segment in bytes.
    #[arg(long, value_name = "BYTES", default_value_t = 536)]
    segment_min: u16,
    /// Largest one; half of the flows use it.
    #[arg(long, value_name = "BYTES", default_value_t = 1448)]
    segment_max: u16,
    /// Mixes of different nets have no client address in common.
    #[arg(long, default_value_t = 0)]
    net: u8,
    /// Frames in a second of capture time [default: 100000, or 10 for each concurrent flow].
    #[arg(long, value_name = "FRAMES")]
    frames_per_second: Option<u64>,
    /// Write what each flow really carried to this file, a line of JSON for each: endpoints, how it
    /// ends, and for each side its bytes, their SHA-256, frames in the capture, and what of it the
    /// capture lacks.
    #[arg(long, value_name = "FILE")]
    truth: Option<PathBuf>,
    #[command(flatten)]
    impairments: ImpairmentOptions,
}

/// A weight is that of a kind of flows in the sum of all weights.
#[derive(Clone, Copy, Debug, Args)]
#[command(next_help_heading = "Weights of kinds of flows")]
struct WeightOptions {
    /// SMTP flows.
    #[arg(long, value_name = "WEIGHT", default_value_t = 1)]
    mail: u32,
    /// HTTP flows.
    #[arg(long, value_name = "WEIGHT", default_value_t = 1)]
    web: u32,
    /// DNS flows; one in twenty of them is over TCP.
    #[arg(long, value_name = "WEIGHT", default_value_t = 1)]
    dns: u32,
    /// FTP control connections.
    #[arg(long, value_name = "WEIGHT", default_value_t = 0)]
    ftp: u32,
    /// IMAP flows.
    #[arg(long, value_name = "WEIGHT", default_value_t = 0)]
    imap: u32,
    /// MQTT flows.
    #[arg(long, value_name = "WEIGHT", default_value_t = 0)]
    mqtt: u32,
    /// POP3 flows.
    #[arg(long, value_name = "WEIGHT", default_value_t = 0)]
    pop3: u32,
    /// Redis flows.
    #[arg(long, value_name = "WEIGHT", default_value_t = 0)]
    redis: u32,
    /// SIP flows, over UDP.
    #[arg(long, value_name = "WEIGHT", default_value_t = 0)]
    sip: u32,
    /// SMB flows.
    #[arg(long, value_name = "WEIGHT", default_value_t = 0)]
    smb: u32,
    /// SSH flows.
    #[arg(long, value_name = "WEIGHT", default_value_t = 0)]
    ssh: u32,
    /// TLS flows.
    #[arg(long, value_name = "WEIGHT", default_value_t = 0)]
    tls: u32,
}

impl WeightOptions {
    const fn weights(self) -> Weights {
        let Self { mail, web, dns, ftp, imap, mqtt, pop3, redis, sip, smb, ssh, tls } = self;
        Weights { mail, web, dns, ftp, imap, mqtt, pop3, redis, sip, smb, ssh, tls }
    }
}

#[derive(Clone, Copy, Debug, Args)]
#[command(next_help_heading = "Impairments (rates from 0 to 1, or such as 1%)")]
struct ImpairmentOptions {
    /// Frames that reach the other side but not the capture.
    #[arg(long, value_name = "RATE", default_value = "0")]
    loss: Rate,
    /// Segments that the network loses and that are sent again.
    #[arg(long, value_name = "RATE", default_value = "0")]
    retransmit: Rate,
    /// Segments that come up to 8 frames of their flow late.
    #[arg(long, value_name = "RATE", default_value = "0")]
    reorder: Rate,
    /// Frames that come twice.
    #[arg(long, value_name = "RATE", default_value = "0")]
    duplicate: Rate,
    /// Segments that start up to 200 bytes before those that are new.
    #[arg(long, value_name = "RATE", default_value = "0")]
    overlap: Rate,
    /// Retransmissions that carry other bytes.
    #[arg(long, value_name = "RATE", default_value = "0")]
    conflict: Rate,
}

fn layers() -> clap::builder::RangedI64ValueParser<u16> {
    clap::value_parser!(u16).range(..=i64::from(special::MOST_LAYERS))
}

impl MixOptions {
    fn mix(&self) -> Mix {
        let ImpairmentOptions { loss, retransmit, reorder, duplicate, overlap, conflict } =
            self.impairments;
        Mix {
            flows: self.flows,
            concurrent: self.concurrent,
            seed: self.seed,
            weights: self.weights.weights(),
            v6: self.v6,
            segment: (self.segment_min, self.segment_max),
            impairments: Impairments { loss, retransmit, reorder, duplicate, overlap, conflict },
            frames_per_second: self.frames_per_second,
            net: self.net,
            ..Mix::default()
        }
    }
}

impl MixOptions {
    fn generate(&self, output: &mut Output<'_>) -> io::Result<Summary> {
        let Some(path) = &self.truth else { return self.mix().frames(output) };
        let mut to = BufWriter::new(File::create(path)?);
        let mut written = Ok(());
        let made = self.mix().frames_and_truth(output, &mut |truth| {
            if written.is_ok() {
                written = writeln!(to, "{truth}");
            }
        })?;
        written?;
        to.flush()?;
        Ok(made)
    }
}

impl Command {
    fn generate(&self, output: &mut Output<'_>) -> io::Result<Summary> {
        match *self {
            Self::Mix(ref options) => options.generate(output),
            Self::Open { flows, rounds, payload, seed } => {
                OpenFlows { flows, rounds, payload, seed }.frames(output)
            }
            Self::SynFlood { flows } => special::syn_flood(flows, output),
            Self::FragmentBomb { datagrams } => special::fragment_bomb(datagrams, output),
            Self::OneByteSegments { flows, bytes, holes } => {
                special::one_byte_segments(flows, bytes, holes, output)
            }
            Self::Hole { flows, bytes } => special::hole(flows, bytes, output),
            Self::Collide { flows } => special::collide(flows, output),
            Self::TunnelTower { flows, layers } => special::tunnel_tower(flows, layers, output),
        }
    }
}

fn main() -> Result<()> {
    let options = Options::parse();
    if let Command::Mix(mix) = &options.command {
        mix.mix().check()?;
    }
    let to: Box<dyn Write> = if options.output.as_os_str() == "-" {
        Box::new(io::stdout().lock())
    } else {
        let file = File::create(&options.output)
            .with_context(|| format!("can't write {}", options.output.display()))?;
        Box::new(file)
    };
    match write_pcap(to, |output| options.command.generate(output)) {
        // Who reads the pipe has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        made => {
            let Summary { flows, frames, bytes, .. } = made?;
            eprintln!("{flows} flows, {frames} frames, {bytes} bytes");
            Ok(())
        }
    }
}
