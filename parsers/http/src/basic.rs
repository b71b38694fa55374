//! The user of Basic authentication (RFC 7617). The password is never kept.

use crate::header::{Field, Header};
use crate::text::{same, split, trim};

/// Longest user name that is kept, in bytes.
const USER_MAX: usize = 256;

/// Takes the credentials out of a header, and the user's name out of them.
pub(crate) fn take_user(header: &mut Header) -> Option<Vec<u8>> {
    let fields = [Field::Authorization, Field::ProxyAuthorization];
    let mut users = fields.iter().filter_map(|field| user(header.get(*field)?));
    let user = users.next();
    for field in fields {
        header.forget(field);
    }
    user
}

/// RFC 7617 §2: user and password in base64, with a colon between them.
fn user(credentials: &[u8]) -> Option<Vec<u8>> {
    let (scheme, token) = split(credentials, b' ');
    if !same(scheme, "basic") {
        return None;
    }
    let plain = base64(trim(token?));
    let (user, password) = split(&plain, b':');
    password?;
    Some(user.get(..USER_MAX).unwrap_or(user).to_vec())
}

/// Decodes up to the first character that is not of base64 (RFC 4648 §4).
fn base64(text: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    let (mut bits, mut count) = (0u32, 0u32);
    for byte in text {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => break,
        };
        bits = bits << 6 | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            plain.push((bits >> count & 0xff) as u8);
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::user;

    #[test]
    fn users_of_basic_authentication() {
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        let of = |credentials: &str| user(credentials.as_bytes()).map(text);
        assert_eq!(of("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==").as_deref(), Some("Aladdin"));
        assert_eq!(of("basic  Om9wZW4=").as_deref(), Some(""));
        assert_eq!(of("Basic QWxhZGRpbg=="), None, "no colon: it may be a secret");
        assert_eq!(of("Bearer QWxhZGRpbjpvcGVu"), None);
        assert_eq!(of("Basic"), None);
    }
}
