//! What an exchange of SASL (RFC 4422) shows of the user, as AUTH (RFC 4954, RFC 5034) and AUTHENTICATE
//! (RFC 9051 §6.2.2) carry it. Secrets are not kept, unless they are shown.

use flowcell_sdk::Secrets;

use crate::header::shorten;
use crate::text::{find, owned, same, split, split_word, trim};
use crate::transfer::base64;

/// Longest user name that is kept, in bytes: that of the longest address.
const USER_MAX: usize = 256;

/// One exchange.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Auth {
    /// In upper case; empty if the command names none.
    pub mechanism: Vec<u8>,
    /// The user name, where the mechanism shows it.
    pub user: Option<Vec<u8>>,
    /// Responses of the client so far.
    responses: u32,
}

impl Auth {
    /// An exchange that shows this user and nothing else.
    #[must_use]
    pub fn of_user(name: &[u8]) -> Self {
        let mut user = owned(name);
        shorten(&mut user, USER_MAX);
        Self { user: Some(user).filter(|user| !user.is_empty()), ..Self::default() }
    }

    /// Reads the argument of AUTH or AUTHENTICATE; also returns what is shown of it.
    pub fn start(argument: &[u8], secrets: Secrets) -> (Self, Vec<u8>) {
        let (word, initial) = split_word(argument);
        if !is_mechanism(word) {
            return (Self::default(), owned(secrets.show(argument)));
        }
        let mut auth = Self { mechanism: word.to_ascii_uppercase(), ..Self::default() };
        let mut shown = auth.mechanism.clone();
        if !initial.is_empty() {
            shown.push(b' ');
            shown.extend_from_slice(secrets.show(initial));
            auth.respond(initial);
        }
        (auth, shown)
    }

    /// Takes a response of the client: base64, `=` for an empty one, `*` to cancel (RFC 4954 §4).
    pub fn respond(&mut self, line: &[u8]) {
        let first = self.responses == 0;
        self.responses += 1;
        if self.user.is_some() || line == b"*" {
            return;
        }
        let response = base64(line);
        let known = MECHANISMS.iter().find(|known| known.is(&self.mechanism));
        let mut user = match known {
            Some(known) if first || known.late => known.user(&response).map(owned),
            _ => None,
        };
        if let Some(user) = &mut user {
            shorten(user, USER_MAX);
        }
        self.user = user.filter(|user| !user.is_empty());
    }
}

/// What is shown of a line that may be a response, and so is secret as a whole: at most `max` bytes.
/// `truncated`, what was said of the line before, stands where it is masked.
pub fn secret_line(line: &[u8], secrets: Secrets, max: usize, truncated: &mut bool) -> Vec<u8> {
    let mut shown = owned(secrets.show(trim(line)));
    let whole = shorten(&mut shown, max);
    if secrets.are_shown() {
        *truncated = !whole;
    }
    shown
}

/// Where a mechanism shows the user.
struct Mechanism {
    /// In upper case; of a family, what the names begin with.
    name: &'static [u8],
    /// Not only in the first response.
    late: bool,
    place: Place,
}

enum Place {
    /// All of the response.
    All,
    /// Behind the first text, up to the character or the end.
    Between(&'static [u8], u8),
    /// In front of the last space.
    BeforeLastSpace,
}

static MECHANISMS: [Mechanism; 9] = [
    // RFC 4616 §2: authzid NUL authcid NUL password.
    Mechanism { name: b"PLAIN", late: true, place: Place::Between(b"\0", 0) },
    // The user name, then the password.
    Mechanism { name: b"LOGIN", late: false, place: Place::All },
    // RFC 2195 §2: user name, space, digest.
    Mechanism { name: b"CRAM-MD5", late: true, place: Place::BeforeLastSpace },
    // RFC 2831 §2.1.2: username="…"
    Mechanism { name: b"DIGEST-MD5", late: true, place: Place::Between(b"username=\"", b'"') },
    // "user=…" SOH "auth=Bearer …"
    Mechanism { name: b"XOAUTH2", late: true, place: Place::Between(b"user=", 1) },
    // RFC 7628 §3.1 and RFC 5801 §4: n,a=…,
    Mechanism { name: b"OAUTHBEARER", late: false, place: Place::Between(b",a=", b',') },
    // RFC 4422 appendix A and RFC 4505 §2: all of it.
    Mechanism { name: b"EXTERNAL", late: false, place: Place::All },
    Mechanism { name: b"ANONYMOUS", late: false, place: Place::All },
    // RFC 5802 §7: n,,n=…,r=…
    Mechanism { name: b"SCRAM-", late: false, place: Place::Between(b",n=", b',') },
];

impl Mechanism {
    fn is(&self, name: &[u8]) -> bool {
        name == self.name || (self.name.ends_with(b"-") && name.starts_with(self.name))
    }

    fn user<'a>(&self, response: &'a [u8]) -> Option<&'a [u8]> {
        match self.place {
            Place::All => Some(response),
            Place::Between(start, end) => between(response, start, end),
            Place::BeforeLastSpace => {
                response.iter().rposition(|byte| *byte == b' ').map(|at| &response[..at])
            }
        }
    }
}

/// RFC 4422 §3.1: at most 20 letters, digits, hyphens and underscores. What is no mechanism's name may
/// be a secret in the wrong place, and letters of both cases are likely base64.
fn is_mechanism(word: &[u8]) -> bool {
    let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let mixed = word.iter().any(u8::is_ascii_uppercase) && word.iter().any(u8::is_ascii_lowercase);
    let common = same(word, "PLAIN") || same(word, "LOGIN");
    word.len() <= 20 && word.iter().all(allowed) && (!mixed || common)
}

/// What stands between `start` and `end`, or the end of the text.
fn between<'a>(text: &'a [u8], start: &[u8], end: u8) -> Option<&'a [u8]> {
    let from = find(text, start)? + start.len();
    Some(split(&text[from..], end).0)
}

#[cfg(test)]
mod tests {
    use flowcell_sdk::Secrets;

    use super::Auth;

    fn user(argument: &str, responses: &[&str]) -> Option<String> {
        let (mut auth, _) = Auth::start(argument.as_bytes(), Secrets::Masked);
        for response in responses {
            auth.respond(response.as_bytes());
        }
        auth.user.map(|user| String::from_utf8(user).expect("UTF-8"))
    }

    #[test]
    fn the_user_of_each_mechanism() {
        assert_eq!(user("PLAIN AGpvZQBzZWNyZXQ=", &[]).as_deref(), Some("joe"));
        assert_eq!(user("plain", &["AGpvZQBzZWNyZXQ="]).as_deref(), Some("joe"));
        assert_eq!(user("LOGIN", &["am9l", "c2VjcmV0"]).as_deref(), Some("joe"));
        assert_eq!(user("LOGIN am9l", &["c2VjcmV0"]).as_deref(), Some("joe"));
        assert_eq!(user("CRAM-MD5", &["am9lIGI5MTNh"]).as_deref(), Some("joe"));
        // username="joe",realm="x"
        assert_eq!(
            user("DIGEST-MD5", &["dXNlcm5hbWU9ImpvZSIscmVhbG09Ingi"]).as_deref(),
            Some("joe")
        );
        // user=joe SOH auth=Bearer t SOH SOH
        assert_eq!(user("XOAUTH2 dXNlcj1qb2UBYXV0aD1CZWFyZXIgdAEB", &[]).as_deref(), Some("joe"));
        // n,a=joe,SOH auth=Bearer t SOH SOH
        assert_eq!(
            user("OAUTHBEARER bixhPWpvZSwBYXV0aD1CZWFyZXIgdAEB", &[]).as_deref(),
            Some("joe")
        );
        // n,,n=joe,r=x
        assert_eq!(user("SCRAM-SHA-256 biwsbj1qb2Uscj14", &[]).as_deref(), Some("joe"));
    }

    #[test]
    fn no_user_where_none_is_shown() {
        assert_eq!(user("LOGIN", &["*"]), None);
        assert_eq!(user("PLAIN", &["!!"]), None);
        assert_eq!(user("GSSAPI YIIB", &[]), None);
        assert_eq!(user("LOGIN =", &["c2VjcmV0"]), None, "an empty name, then the password");
    }

    #[test]
    fn secrets_are_masked_or_shown() {
        for (argument, masked, shown) in [
            ("PLAIN AGpvZQBzZWNyZXQ=", "PLAIN ***", "PLAIN AGpvZQBzZWNyZXQ="),
            ("login", "LOGIN", "LOGIN"),
            ("AGpvZQBzZWNyZXQ=", "***", "AGpvZQBzZWNyZXQ="),
            ("c2VjcmV0 x", "***", "c2VjcmV0 x"),
            ("", "", ""),
        ] {
            let start = |secrets| Auth::start(argument.as_bytes(), secrets);
            assert_eq!(start(Secrets::Masked).1, masked.as_bytes());
            assert_eq!(start(Secrets::Shown).1, shown.as_bytes());
            assert_eq!(start(Secrets::Masked).0, start(Secrets::Shown).0);
        }
    }
}
