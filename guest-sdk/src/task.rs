//! The executor: one parser, polled when something was delivered and while it wakes itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use crate::flow::Flow;
use crate::inbox::Mark;
use crate::info::{FlowInfo, Side};
use crate::read_error::{EndReason, GapReason, ReadError, too_long};
use crate::record::{ParserDef, Running, Timestamp};
use crate::shared::{Handle, Host, Shared};
use crate::{Error, Result};

/// One delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input<'a> {
    /// In-order bytes of one side, or one datagram.
    Data {
        /// Who sent them.
        side: Side,
        /// Time of the packet that completed them.
        at: Timestamp,
        /// The bytes.
        bytes: &'a [u8],
    },
    /// The same of several packets, in order. The parser gets them packet by packet, as if each had
    /// been delivered alone; [`HostCalls::segment`](crate::drive::HostCalls::segment) says which one the
    /// calls of the host are about.
    Segments {
        /// Who sent them.
        side: Side,
        /// What each packet has brought; not of datagrams.
        segments: &'a [Segment],
        /// The bytes of all.
        bytes: &'a [u8],
    },
    /// Bytes that will never be delivered.
    Gap {
        /// Who sent them.
        side: Side,
        /// How many.
        length: u64,
        /// Why.
        reason: GapReason,
    },
    /// Nothing more comes from this side.
    End {
        /// Whose.
        side: Side,
        /// Time of the packet or timer that ended it.
        at: Timestamp,
        /// Why.
        reason: EndReason,
    },
}

/// What one packet has brought of a delivery, as the canonical ABI has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub struct Segment {
    /// Bytes, at least 1.
    pub length: u32,
    /// Time of the packet that completed them.
    pub at: Timestamp,
}

/// What a parser answers to a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// It wants more.
    Pending,
    /// It wants more, and keeps nothing of what it was given: another task may get the next datagram.
    Resting,
    /// It wants nothing more of this flow.
    Ready,
}

/// Set by a future that can go on without a new delivery.
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Makes a parser's future what [`ParserDef::start`] returns.
#[doc(hidden)]
pub fn running(future: impl Future<Output = Result<()>> + 'static) -> Running {
    let future = Box::pin(future);
    // The sandbox frees all of a flow at once: what would drop a future half way is never linked.
    #[cfg(target_arch = "wasm32")]
    let future = Box::pin(Undropped(std::mem::ManuallyDrop::new(future)));
    future
}

#[cfg(target_arch = "wasm32")]
struct Undropped<F>(std::mem::ManuallyDrop<std::pin::Pin<Box<F>>>);

#[cfg(target_arch = "wasm32")]
impl<F: Future> Future for Undropped<F> {
    type Output = F::Output;

    fn poll(mut self: std::pin::Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        self.0.as_mut().poll(cx)
    }
}

/// A parser at work on one flow.
pub struct Task {
    future: Running,
    shared: Handle,
    datagrams: bool,
    woken: Arc<Woken>,
    waker: Waker,
}

impl Task {
    /// Starts `def` on a flow. It runs at the first delivery.
    #[must_use]
    pub fn new(def: &'static ParserDef, info: FlowInfo, host: Host) -> Self {
        let shared = Shared::new(def, host, info.at).into_handle();
        let datagrams = info.transport == crate::Transport::Udp;
        let future = (def.start)(Flow::new(Handle::clone(&shared), info));
        let woken = Arc::new(Woken(AtomicBool::new(false)));
        let waker = Waker::from(Arc::clone(&woken));
        Self { future, shared, datagrams, woken, waker }
    }

    /// Delivers and runs the parser until it waits.
    pub fn deliver(&mut self, input: Input<'_>) -> Progress {
        match input {
            Input::Data { side, at, bytes } => self.data(side, at, bytes),
            Input::Segments { side, segments, bytes } => self.segments(side, segments, bytes),
            Input::Gap { side, length, reason } => self.mark(side, Mark::Gap { length, reason }),
            Input::End { side, at, reason } => self.end(side, at, reason),
        }
    }

    fn data(&mut self, side: Side, at: Timestamp, bytes: &[u8]) -> Progress {
        if let Some(progress) = self.refuse(side, at, bytes.len()) {
            return progress;
        }
        self.shared.inbox(side).buffer.push_bytes(bytes);
        self.delivered(side)
    }

    /// If there is no room for so many bytes of `side` that come now, makes a gap of them.
    pub(crate) fn refuse(&mut self, side: Side, at: Timestamp, count: usize) -> Option<Progress> {
        self.shared.set_now(at);
        let full = self.shared.inbox(side).is_full();
        let mark = Mark::Gap { length: count as u64, reason: GapReason::Memory };
        full.then(|| self.mark(side, mark))
    }

    /// Runs the parser after bytes of `side` were put into its inbox, here or by the host.
    pub(crate) fn delivered(&mut self, side: Side) -> Progress {
        if self.datagrams {
            return self.mark(side, Mark::Boundary);
        }
        self.run(side)
    }

    /// Delivers what came together packet by packet.
    pub(crate) fn segments(&mut self, side: Side, segments: &[Segment], bytes: &[u8]) -> Progress {
        self.shared.batch.begin(side, bytes.len());
        let mut later = bytes;
        for segment in segments {
            let (bytes, rest) = later.split_at(later.len().min(segment.length as usize));
            later = rest;
            let wanted = self.shared.batch.next(bytes);
            if !wanted.is_empty() && self.data(side, segment.at, wanted) == Progress::Ready {
                self.shared.tell_segment();
                return Progress::Ready;
            }
        }
        self.shared.batch.end();
        Progress::Pending
    }

    pub(crate) fn end(&mut self, side: Side, at: Timestamp, reason: EndReason) -> Progress {
        self.shared.set_now(at);
        self.mark(side, Mark::End(reason))
    }

    pub(crate) fn mark(&mut self, side: Side, mark: Mark) -> Progress {
        self.shared.inbox(side).buffer.push_mark(mark);
        self.run(side)
    }

    #[cfg(target_arch = "wasm32")]
    pub(crate) fn shared(&self) -> Handle {
        self.shared
    }

    /// Polls until the parser is done, or waits without having been woken.
    fn run(&mut self, side: Side) -> Progress {
        self.shared.inbox(side).wake();
        let mut context = Context::from_waker(&self.waker);
        loop {
            self.woken.0.store(false, Ordering::Relaxed);
            self.shared.set_resting(false);
            match self.future.as_mut().poll(&mut context) {
                Poll::Ready(outcome) => {
                    self.report(outcome);
                    return Progress::Ready;
                }
                Poll::Pending if self.woken.0.load(Ordering::Relaxed) => {}
                Poll::Pending if self.shared.is_resting() => return Progress::Resting,
                Poll::Pending => return Progress::Pending,
            }
        }
    }

    /// Tells the host how the parser ended. Being cut off and missing bytes are nobody's fault.
    fn report(&self, outcome: Result<()>) {
        match outcome {
            Ok(()) | Err(Error::Read(ReadError::End(_) | ReadError::Gap(_))) => {}
            Err(Error::Read(ReadError::TooLong { side, limit })) => {
                self.shared.fail(&too_long(side, limit));
            }
            Err(Error::Decline(reason)) => self.shared.decline(&reason),
            Err(Error::Violation(reason)) => self.shared.fail(&reason),
            Err(Error::SwitchTo(protocol)) => self.shared.switch_to(&protocol),
        }
    }
}

impl std::fmt::Debug for Task {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Task").field("shared", &self.shared).finish_non_exhaustive()
    }
}
