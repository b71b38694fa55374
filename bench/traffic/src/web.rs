//! HTTP/1.1 exchanges (RFC 9112).

use crate::message::{Kind, Message, put};
use crate::pool::Material;
use crate::rng::Rng;
use crate::tuple::Side;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    Get,
    Post,
}

/// A response's status, and whether the server closes after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) last: bool,
}

/// Where a connection has got to.
#[derive(Clone, Debug)]
pub(crate) struct Exchange {
    left: u8,
    asked: bool,
}

const SMALLEST_BODY: u32 = 200;
const LARGEST_BODY: u32 = 300_000;
const LARGEST_POST: u32 = 20_000;

impl Exchange {
    pub(crate) fn new(rng: &mut Rng) -> Self {
        Self { left: 1 + rng.u8() % 10, asked: false }
    }

    pub(crate) fn next(&mut self, rng: &mut Rng) -> Option<Message> {
        if !self.asked {
            self.left = self.left.checked_sub(1)?;
            self.asked = true;
            let seed = rng.next();
            return Some(if rng.one_in(6) {
                let size = rng.size(20, LARGEST_POST);
                let kind = Kind::Request(Method::Post);
                Message::with_body(Side::Client, kind, seed, Material::Text, size, false)
            } else {
                Message::line(Side::Client, Kind::Request(Method::Get), seed)
            });
        }
        self.asked = false;
        let status = match rng.below(20) {
            0 => 404,
            1 | 2 => 304,
            _ => 200,
        };
        let size = match status {
            304 => 0,
            404 => 300,
            _ => rng.size(SMALLEST_BODY, LARGEST_BODY),
        };
        let material = if rng.one_in(2) { Material::Binary } else { Material::Text };
        let chunked = status == 200 && rng.one_in(3);
        let kind = Kind::Response(Reply { status, last: self.left == 0 });
        Some(Message::with_body(Side::Server, kind, rng.next(), material, size, chunked))
    }
}

const PATHS: &[&str] = &["/", "/index.html", "/news", "/img/logo.png", "/api/v1/items", "/search"];
const AGENTS: &[&str] =
    &["Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0", "curl/8.9.1"];

impl Method {
    pub(crate) fn write(self, seed: u64, body: u32, to: &mut Vec<u8>) {
        let mut rng = Rng::new(seed);
        let name = match self {
            Self::Get => "GET",
            Self::Post => "POST",
        };
        put!(
            to,
            "{name} {}?id={} HTTP/1.1\r\nHost: www{}.example.com\r\nUser-Agent: {}\r\nAccept: */*\r\n",
            rng.pick(PATHS),
            rng.u32(),
            rng.below(100),
            rng.pick(AGENTS)
        );
        if rng.one_in(2) {
            put!(to, "Cookie: session={:016x}{:016x}\r\n", rng.next(), rng.next());
        }
        if self == Self::Post {
            put!(to, "Content-Type: text/plain\r\nContent-Length: {body}\r\n");
        }
        to.extend(b"\r\n");
    }
}

impl Reply {
    pub(crate) fn write(self, seed: u64, body: u32, chunked: bool, to: &mut Vec<u8>) {
        let reason = match self.status {
            304 => "Not Modified",
            404 => "Not Found",
            _ => "OK",
        };
        put!(
            to,
            "HTTP/1.1 {} {reason}\r\nServer: example\r\nDate: Mon, 05 Jan 2026 10:{:02}:{:02} GMT\r\n\
             ETag: \"{:08x}\"\r\n",
            self.status,
            seed % 60,
            (seed >> 8) % 60,
            (seed >> 16) & 0xffff_ffff
        );
        if self.last {
            to.extend(b"Connection: close\r\n");
        }
        match (self.status, chunked) {
            (304, _) => {}
            (_, true) => to.extend(
                b"Content-Type: application/octet-stream\r\nTransfer-Encoding: chunked\r\n",
            ),
            (_, false) => put!(to, "Content-Type: text/html\r\nContent-Length: {body}\r\n"),
        }
        to.extend(b"\r\n");
    }
}
