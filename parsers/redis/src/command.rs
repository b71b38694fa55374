//! What is known of commands: where their keys and values stand, and what of them is secret.

use flowcell_sdk::{MASK, Secrets};

use crate::words::{Kept, Words};

/// What a command does to the conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    None,
    /// It is confirmed channel by channel.
    Subscription,
    /// From the reply on, the server tells what others do.
    Monitor,
    /// From the reply on, the server sends its data and what changes them.
    Replication,
}

/// A command that waits for its reply.
#[derive(Debug)]
pub(crate) struct Command {
    pub(crate) name: Vec<u8>,
    pub(crate) subcommand: Option<Vec<u8>>,
    pub(crate) key: Option<Kept>,
    pub(crate) value: Option<Kept>,
    pub(crate) arguments: u64,
    pub(crate) inline: bool,
    pub(crate) incomplete: bool,
    pub(crate) effect: Effect,
    /// The reply may hold passwords.
    pub(crate) hides_reply: bool,
    /// The client does not want a reply.
    pub(crate) is_silent: bool,
    /// See [`uncertain`](crate::records::Command::uncertain).
    pub(crate) uncertain: bool,
}

impl Command {
    pub(crate) fn new(words: &Words, secrets: Secrets) -> Self {
        let name = words.upper(0).unwrap_or_default();
        let has_subcommand = has_subcommands(&name);
        let subcommand = if has_subcommand { words.upper(1) } else { None };
        let (key, value) = places(&name, subcommand.as_deref());
        let at = |place: usize| words.get(place).filter(|_| place > 0).cloned();
        let mut command = Self {
            subcommand,
            key: at(key),
            value: at(value),
            arguments: words.count.saturating_sub(1),
            inline: words.inline,
            incomplete: words.incomplete,
            effect: effect(&name),
            hides_reply: false,
            is_silent: false,
            uncertain: false,
            name,
        };
        command.find_secrets(words, secrets);
        command
    }

    fn find_secrets(&mut self, words: &Words, secrets: Secrets) {
        let show = |secret: Option<Kept>| match secrets {
            Secrets::Masked => Some(Kept { bytes: MASK.into(), length: MASK.len() as u64 }),
            Secrets::Shown => secret,
        };
        match (&self.name[..], self.subcommand.as_deref()) {
            // AUTH password, AUTH user password.
            (b"AUTH", _) => {
                self.key = words.get(1).filter(|_| words.count > 2).cloned();
                self.value = show(words.get(if words.count > 2 { 2 } else { 1 }).cloned());
            }
            // HELLO 3 AUTH user password.
            (b"HELLO", _) if words.upper(2).as_deref() == Some(b"AUTH") => {
                self.key = words.get(3).cloned();
                self.value = show(words.get(4).cloned());
            }
            (b"CONFIG", Some(b"SET")) if self.key.as_ref().is_some_and(is_secret) => {
                self.value = show(self.value.take());
            }
            (b"CONFIG", Some(b"GET")) => {
                let is_pattern =
                    |word: &Kept| word.bytes.iter().any(|byte| b"*?[\\".contains(byte));
                let mut wanted = words.kept.iter().skip(2);
                let not_all_kept = words.count > words.kept.len() as u64;
                self.hides_reply =
                    not_all_kept || wanted.any(|word| is_pattern(word) || is_secret(word));
            }
            // Rules of the user, options of the master.
            (b"ACL", Some(b"SETUSER")) | (b"SENTINEL", Some(b"SET")) => {
                self.value = show(words.from(3));
            }
            (b"ACL", Some(b"GETUSER" | b"LIST" | b"GENPASS")) => self.hides_reply = true,
            _ => {}
        }
    }

    /// How many bytes it takes to remember it, roughly.
    pub(crate) fn weight(&self) -> usize {
        let texts = [&self.key, &self.value].into_iter().flatten().map(|kept| kept.bytes.len());
        let subcommand = self.subcommand.as_ref().map_or(0, Vec::len);
        64 + self.name.len() + subcommand + texts.sum::<usize>()
    }
}

/// Settings that are passwords: `requirepass`, `masterauth`, `tls-key-file-pass`.
fn is_secret(setting: &Kept) -> bool {
    let name = setting.bytes.to_ascii_lowercase();
    [&b"pass"[..], b"auth"].iter().any(|part| name.windows(part.len()).any(|at| at == *part))
}

fn effect(name: &[u8]) -> Effect {
    match name {
        b"SUBSCRIBE" | b"PSUBSCRIBE" | b"SSUBSCRIBE" | b"UNSUBSCRIBE" | b"PUNSUBSCRIBE"
        | b"SUNSUBSCRIBE" => Effect::Subscription,
        b"MONITOR" => Effect::Monitor,
        b"SYNC" | b"PSYNC" => Effect::Replication,
        _ => Effect::None,
    }
}

fn has_subcommands(name: &[u8]) -> bool {
    matches!(
        name,
        b"ACL"
            | b"CLIENT"
            | b"CLUSTER"
            | b"COMMAND"
            | b"CONFIG"
            | b"DEBUG"
            | b"FUNCTION"
            | b"LATENCY"
            | b"MEMORY"
            | b"MODULE"
            | b"OBJECT"
            | b"PUBSUB"
            | b"SCRIPT"
            | b"SENTINEL"
            | b"SLOWLOG"
            | b"XGROUP"
            | b"XINFO"
    )
}

/// Which words are the key and the value; 0 for none. What is not listed shows neither.
fn places(name: &[u8], subcommand: Option<&[u8]>) -> (usize, usize) {
    match name {
        b"APPEND" | b"DECRBY" | b"EXPIRE" | b"EXPIREAT" | b"GETBIT" | b"GETSET" | b"HDEL"
        | b"HEXISTS" | b"HGET" | b"INCRBY" | b"INCRBYFLOAT" | b"LINDEX" | b"LPUSH" | b"LPUSHX"
        | b"MOVE" | b"MSET" | b"MSETNX" | b"PEXPIRE" | b"PEXPIREAT" | b"PFADD" | b"PUBLISH"
        | b"RENAME" | b"RENAMENX" | b"RPOPLPUSH" | b"RPUSH" | b"RPUSHX" | b"SADD" | b"SET"
        | b"SETNX" | b"SISMEMBER" | b"SMOVE" | b"SPUBLISH" | b"SREM" | b"ZRANK" | b"ZREM"
        | b"ZSCORE" => (1, 2),
        b"LSET" | b"PSETEX" | b"SETEX" | b"SETRANGE" => (1, 3),
        b"BITCOUNT" | b"BITFIELD" | b"BITFIELD_RO" | b"BITPOS" | b"BLMOVE" | b"BLPOP"
        | b"BRPOP" | b"BRPOPLPUSH" | b"BZPOPMAX" | b"BZPOPMIN" | b"COPY" | b"DECR" | b"DEL"
        | b"DUMP" | b"EXISTS" | b"EXPIRETIME" | b"GEOADD" | b"GEODIST" | b"GEOHASH" | b"GEOPOS"
        | b"GEOSEARCH" | b"GET" | b"GETDEL" | b"GETEX" | b"GETRANGE" | b"HGETALL" | b"HINCRBY"
        | b"HINCRBYFLOAT" | b"HKEYS" | b"HLEN" | b"HMGET" | b"HMSET" | b"HRANDFIELD" | b"HSCAN"
        | b"HSET" | b"HSETNX" | b"HSTRLEN" | b"HVALS" | b"INCR" | b"KEYS" | b"LINSERT"
        | b"LLEN" | b"LMOVE" | b"LPOP" | b"LPOS" | b"LRANGE" | b"LREM" | b"LTRIM" | b"MGET"
        | b"PERSIST" | b"PEXPIRETIME" | b"PFCOUNT" | b"PFMERGE" | b"PSUBSCRIBE" | b"PTTL"
        | b"PUNSUBSCRIBE" | b"RESTORE" | b"RPOP" | b"SCARD" | b"SDIFF" | b"SDIFFSTORE"
        | b"SETBIT" | b"SINTER" | b"SINTERSTORE" | b"SMEMBERS" | b"SMISMEMBER" | b"SORT"
        | b"SORT_RO" | b"SPOP" | b"SRANDMEMBER" | b"SSCAN" | b"SSUBSCRIBE" | b"STRLEN"
        | b"SUBSCRIBE" | b"SUBSTR" | b"SUNION" | b"SUNIONSTORE" | b"SUNSUBSCRIBE" | b"TOUCH"
        | b"TTL" | b"TYPE" | b"UNLINK" | b"UNSUBSCRIBE" | b"WATCH" | b"XACK" | b"XADD"
        | b"XAUTOCLAIM" | b"XCLAIM" | b"XDEL" | b"XLEN" | b"XPENDING" | b"XRANGE"
        | b"XREVRANGE" | b"XTRIM" | b"ZADD" | b"ZCARD" | b"ZCOUNT" | b"ZINCRBY" | b"ZLEXCOUNT"
        | b"ZMSCORE" | b"ZPOPMAX" | b"ZPOPMIN" | b"ZRANDMEMBER" | b"ZRANGE" | b"ZRANGEBYLEX"
        | b"ZRANGEBYSCORE" | b"ZREMRANGEBYLEX" | b"ZREMRANGEBYRANK" | b"ZREMRANGEBYSCORE"
        | b"ZREVRANGE" | b"ZREVRANGEBYLEX" | b"ZREVRANGEBYSCORE" | b"ZREVRANK" | b"ZSCAN" => (1, 0),
        // The operation stands first.
        b"BITOP" | b"MEMORY" | b"OBJECT" | b"XGROUP" | b"XINFO" => (2, 0),
        // Before the key: timeout and number of keys; host and port.
        b"BLMPOP" | b"BZMPOP" | b"MIGRATE" => (3, 0),
        b"CONFIG" if subcommand == Some(b"SET") => (2, 3),
        b"ACL" | b"CONFIG" | b"SENTINEL" => (2, 0),
        b"CLIENT" if subcommand == Some(b"REPLY") => (0, 2),
        _ => (0, 0),
    }
}

#[cfg(test)]
mod tests {
    use flowcell_sdk::Secrets;

    use super::Command;
    use crate::inline::split;

    fn shown(line: &str) -> (Option<String>, Option<String>, bool) {
        with(line, Secrets::Masked)
    }

    fn with(line: &str, secrets: Secrets) -> (Option<String>, Option<String>, bool) {
        let command = Command::new(&split(line.as_bytes()).unwrap(), secrets);
        let text =
            |kept: Option<super::Kept>| kept.map(|kept| String::from_utf8(kept.bytes).unwrap());
        (text(command.key), text(command.value), command.hides_reply)
    }

    #[test]
    fn keys_and_values() {
        for (line, key, value) in [
            ("set a b ex 5", Some("a"), Some("b")),
            ("SETEX a 5 b", Some("a"), Some("b")),
            ("get a", Some("a"), None),
            ("get", None, None),
            ("bitop and d s", Some("d"), None),
            ("BLMPOP 0 1 k LEFT", Some("k"), None),
            ("config set dir /tmp", Some("dir"), Some("/tmp")),
            ("EVAL script 0", None, None),
        ] {
            let (got_key, got_value, _) = shown(line);
            assert_eq!((got_key.as_deref(), got_value.as_deref()), (key, value), "{line}");
        }
    }

    #[test]
    fn secrets_are_hidden_or_shown() {
        for (line, key, value) in [
            ("auth secret", None, Some("***")),
            ("AUTH joe secret", Some("joe"), Some("***")),
            ("hello 3 auth joe secret setname x", Some("joe"), Some("***")),
            ("hello 3", None, None),
            ("CONFIG SET RequirePass secret", Some("RequirePass"), Some("***")),
            ("config set masterauth secret", Some("masterauth"), Some("***")),
            ("acl setuser joe on >secret", Some("joe"), Some("***")),
        ] {
            let (got_key, got_value, _) = shown(line);
            assert_eq!((got_key.as_deref(), got_value.as_deref()), (key, value), "{line}");
        }
        for (line, value) in [
            ("auth secret", Some("secret")),
            ("AUTH joe secret", Some("secret")),
            ("AUTH", None),
            ("hello 3 auth joe secret setname x", Some("secret")),
            ("CONFIG SET RequirePass secret", Some("secret")),
            ("acl setuser joe on >secret", Some("on >secret")),
            ("sentinel set m auth-pass secret", Some("auth-pass secret")),
        ] {
            let (key, masked, hides) = shown(line);
            assert_eq!(masked.as_deref(), Some("***"), "{line}");
            let wanted = (key, value.map(String::from), hides);
            assert_eq!(with(line, Secrets::Shown), wanted, "{line}");
        }
        let long = "acl setuser joe ".to_owned() + &"x".repeat(300) + " 2 3 4 5 6 7 8 9";
        let words = split(long.as_bytes()).unwrap();
        let value = Command::new(&words, Secrets::Shown).value.unwrap();
        assert!(value.is_cut() && value.bytes == [b'x'; 256]);
        let many = split(b"acl setuser joe 1 2 3 4 5 6 7").unwrap();
        let value = Command::new(&many, Secrets::Shown).value.unwrap();
        assert!(value.is_cut() && value.bytes == b"1 2 3 4 5");
        for line in ["config get *", "CONFIG GET dir requirepass", "acl getuser joe"] {
            assert!(shown(line).2, "{line}");
        }
        assert!(!shown("config get maxmemory").2);
    }
}
