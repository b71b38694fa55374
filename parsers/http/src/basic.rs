//! The user of Basic authentication (RFC 7617). The password is not kept, unless secrets are shown.

use flowcell_sdk::Secrets;

use crate::header::{Field, Header};
use crate::text::{same, split, trim};

/// Longest user name that is kept, in bytes.
const USER_MAX: usize = 256;

/// Who the client says that it is.
#[derive(Debug)]
pub(crate) struct User {
    pub(crate) name: Vec<u8>,
    /// As it is to be shown.
    pub(crate) password: Vec<u8>,
}

/// Takes the credentials out of a header, and the user out of them.
pub(crate) fn take_user(header: &mut Header, secrets: Secrets) -> Option<User> {
    let fields = [Field::Authorization, Field::ProxyAuthorization];
    let mut users = fields.iter().filter_map(|field| user(header.get(*field)?, secrets));
    let user = users.next();
    for field in fields {
        header.forget(field);
    }
    user
}

/// RFC 7617 §2: user and password in base64, with a colon between them.
fn user(credentials: &[u8], secrets: Secrets) -> Option<User> {
    let (scheme, token) = split(credentials, b' ');
    if !same(scheme, "basic") {
        return None;
    }
    let plain = base64(trim(token?));
    let (name, password) = split(&plain, b':');
    let name = name.get(..USER_MAX).unwrap_or(name).to_vec();
    Some(User { name, password: secrets.show(password?).to_vec() })
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
    use flowcell_sdk::Secrets;

    use super::user;

    #[test]
    fn users_of_basic_authentication() {
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        let of = |credentials: &str| {
            user(credentials.as_bytes(), Secrets::Masked).map(|user| text(user.name))
        };
        assert_eq!(of("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==").as_deref(), Some("Aladdin"));
        assert_eq!(of("basic  Om9wZW4=").as_deref(), Some(""));
        assert_eq!(of("Basic QWxhZGRpbg=="), None, "no colon: it may be a secret");
        assert_eq!(of("Bearer QWxhZGRpbjpvcGVu"), None);
        assert_eq!(of("Basic"), None);
    }

    #[test]
    fn passwords_are_masked_or_shown() {
        for (secrets, password) in
            [(Secrets::Masked, &b"***"[..]), (Secrets::Shown, b"open sesame:")]
        {
            let user = user(b"Basic QWxhZGRpbjpvcGVuIHNlc2FtZTo=", secrets).expect("a user");
            assert_eq!((&*user.name, &*user.password), (&b"Aladdin"[..], password));
        }
    }
}
