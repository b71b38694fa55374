//! JA3 and JA3S: what a hello looks like, as a line of numbers whose MD5 is the fingerprint.
//!
//! The method is Salesforce's (BSD 3-clause): version, cipher suites, extensions, groups and point formats
//! of a client; version, cipher suite and extensions of a server. GREASE is left out.

use crate::client_hello::ClientHello;
use crate::names::is_grease;
use crate::server_hello::ServerHello;

/// The line of a client. `None` if the hello is not all there, or has another form.
pub(crate) fn client(hello: &ClientHello) -> Option<String> {
    if !hello.whole || hello.sslv2 {
        return None;
    }
    let mut line = hello.version.to_string();
    let lists = [&hello.ciphers, &hello.extensions, &hello.groups, &hello.point_formats];
    for list in lists {
        line.push(',');
        append(list, &mut line);
    }
    Some(line)
}

/// The line of a server.
pub(crate) fn server(hello: &ServerHello) -> Option<String> {
    if !hello.whole {
        return None;
    }
    let mut line = hello.version.to_string();
    line.push(',');
    line.push_str(&hello.cipher?.to_string());
    line.push(',');
    append(&hello.extensions, &mut line);
    Some(line)
}

fn append(list: &[u16], line: &mut String) {
    let mut first = true;
    for number in list.iter().filter(|number| !is_grease(**number)) {
        if !std::mem::take(&mut first) {
            line.push('-');
        }
        line.push_str(&number.to_string());
    }
}
