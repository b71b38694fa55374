//! Codes in words.

/// The level of the protocol as a version (MQTT 3.1.1 §3.1.2.2); `None` if it is none of the known.
pub(crate) fn version(level: u8) -> Option<&'static str> {
    match level {
        3 => Some("3.1"),
        4 => Some("3.1.1"),
        5 => Some("5.0"),
        _ => None,
    }
}

/// Quality of service.
pub(crate) fn qos(level: u8) -> &'static str {
    match level {
        0 => "at most once",
        1 => "at least once",
        _ => "exactly once",
    }
}

/// What CONNACK says: the return codes of MQTT 3.1.1 §3.2.2.3, the reason codes of MQTT 5 §3.2.2.2.
pub(crate) fn connect_status(code: u8) -> &'static str {
    match code {
        0 => "Connection Accepted",
        1 => "Refused: unacceptable protocol version",
        2 => "Refused: identifier rejected",
        3 => "Refused: server unavailable",
        4 => "Refused: bad user name or password",
        5 => "Refused: not authorized",
        0x80 => "Unspecified error",
        0x81 => "Malformed Packet",
        0x82 => "Protocol Error",
        0x83 => "Implementation specific error",
        0x84 => "Unsupported Protocol Version",
        0x85 => "Client Identifier not valid",
        0x86 => "Bad User Name or Password",
        0x87 => "Not authorized",
        0x88 => "Server unavailable",
        0x89 => "Server busy",
        0x8a => "Banned",
        0x8c => "Bad authentication method",
        0x90 => "Topic Name invalid",
        0x95 => "Packet too large",
        0x97 => "Quota exceeded",
        0x99 => "Payload format invalid",
        0x9a => "Retain not supported",
        0x9b => "QoS not supported",
        0x9c => "Use another server",
        0x9d => "Server moved",
        0x9f => "Connection rate exceeded",
        _ => "unknown",
    }
}
