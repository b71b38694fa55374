//! Addresses and states of flows, as the contract has them and as the rest of the host does.

use std::net::{IpAddr, SocketAddr};

use super::{Address, Endpoint, FlowState};

/// An endpoint in the form of the contract.
#[must_use]
pub fn endpoint(address: SocketAddr) -> Endpoint {
    let bits = match address.ip() {
        IpAddr::V4(v4) => Address::Ipv4(v4.to_bits()),
        IpAddr::V6(v6) => {
            let [a, b, c, d, e, f, g, h] = v6.segments().map(u64::from);
            Address::Ipv6((a << 48 | b << 32 | c << 16 | d, e << 48 | f << 32 | g << 16 | h))
        }
    };
    Endpoint { address: bits, port: address.port() }
}

/// What a parser is told of a flow whose start was not seen, of which an instance before it has confirmed, or
/// whose secrets the operator wants to see.
#[must_use]
pub fn flow_state(midstream: bool, confirmed: bool, secrets: bool) -> FlowState {
    let mut state = FlowState::empty();
    if midstream {
        state |= FlowState::MIDSTREAM;
    }
    if confirmed {
        state |= FlowState::CONFIRMED;
    }
    if secrets {
        state |= FlowState::SECRETS;
    }
    state
}

/// The endpoint that a guest speaks of.
#[must_use]
pub fn socket_address(endpoint: &Endpoint) -> SocketAddr {
    let address = match endpoint.address {
        Address::Ipv4(bits) => IpAddr::V4(bits.into()),
        Address::Ipv6((upper, lower)) => {
            IpAddr::V6((u128::from(upper) << 64 | u128::from(lower)).into())
        }
    };
    SocketAddr::new(address, endpoint.port)
}
