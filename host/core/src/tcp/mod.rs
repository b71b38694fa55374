//! TCP: what the two sides of a connection say, put back in order.

mod disorder;
#[cfg(test)]
mod known_defects;
mod overlap;
mod policies;
mod reassembler;
mod seq;
mod state;
mod tracker;

pub use overlap::OverlapPolicy;
pub use policies::{AddrRange, OverlapPolicies, OverlapPoliciesError};
pub(crate) use reassembler::{HoldPool, Outlet, Stop, Stream};
pub use seq::SeqNo;
pub(crate) use state::SideState;
pub(crate) use tracker::{
    MAX_SUSPECTS, Opening, Tcp, Verdict, expire_holes, flush, handle_segment, handle_suspect,
};
