//! Names of what the wire has numbers for.

use crate::text::hex_number;

/// A dialect's revision (MS-SMB2 §2.2.3).
pub(crate) fn dialect(revision: u16) -> Vec<u8> {
    let name = match revision {
        0x0202 => "2.0.2",
        0x0210 => "2.1",
        0x0224 => "2.2.4",
        0x02ff => "2.???",
        0x0300 => "3.0",
        0x0302 => "3.0.2",
        0x0310 => "3.1",
        0x0311 => "3.1.1",
        other => return hex_number(&other.to_be_bytes()),
    };
    name.into()
}

/// A cipher of SMB 3.1.1 (MS-SMB2 §2.2.3.1.2).
pub(crate) fn cipher(id: u16) -> Option<&'static str> {
    Some(match id {
        1 => "AES-128-CCM",
        2 => "AES-128-GCM",
        3 => "AES-256-CCM",
        4 => "AES-256-GCM",
        _ => return None,
    })
}

/// What a share is (MS-SMB2 §2.2.10), by the words of Zeek.
pub(crate) fn share_type(number: u8) -> Option<&'static str> {
    Some(match number {
        1 => "DISK",
        2 => "PIPE",
        3 => "PRINT",
        _ => return None,
    })
}

/// CreateDisposition (MS-SMB2 §2.2.13).
pub(crate) fn disposition(number: u32) -> Option<&'static str> {
    Some(match number {
        0 => "supersede",
        1 => "open",
        2 => "create",
        3 => "open_if",
        4 => "overwrite",
        5 => "overwrite_if",
        _ => return None,
    })
}

/// CreateAction (MS-SMB2 §2.2.14).
pub(crate) fn create_action(number: u32) -> Option<&'static str> {
    Some(match number {
        0 => "superseded",
        1 => "opened",
        2 => "created",
        3 => "overwritten",
        _ => return None,
    })
}

/// CreateOptions (MS-SMB2 §2.2.13), by bit.
const OPTIONS: [&str; 24] = [
    "directory",
    "write_through",
    "sequential_only",
    "no_intermediate_buffering",
    "synchronous_io_alert",
    "synchronous_io_nonalert",
    "non_directory",
    "",
    "complete_if_oplocked",
    "no_ea_knowledge",
    "open_remote_instance",
    "random_access",
    "delete_on_close",
    "open_by_file_id",
    "open_for_backup_intent",
    "no_compression",
    "open_requiring_oplock",
    "disallow_exclusive",
    "",
    "",
    "reserve_opfilter",
    "open_reparse_point",
    "open_no_recall",
    "open_for_free_space_query",
];

/// The options that are set.
pub(crate) fn options(bits: u32) -> Vec<&'static str> {
    let set = OPTIONS.iter().enumerate().filter(|(bit, _)| bits >> bit & 1 == 1);
    set.map(|(_, name)| *name).filter(|name| !name.is_empty()).collect()
}

/// A status (MS-ERREF §2.3.1) by its name without `STATUS_`, as Zeek has it; an unknown one as a number.
pub(crate) fn status(number: u32) -> Vec<u8> {
    match STATUSES.binary_search_by_key(&number, |(known, _)| *known) {
        Ok(at) => STATUSES.get(at).map_or_else(Vec::new, |(_, name)| (*name).into()),
        Err(_) => hex_number(&number.to_be_bytes()),
    }
}

pub(crate) const SUCCESS: u32 = 0;
pub(crate) const PENDING: u32 = 0x0000_0103;
pub(crate) const BUFFER_OVERFLOW: u32 = 0x8000_0005;
pub(crate) const MORE_PROCESSING_REQUIRED: u32 = 0xc000_0016;

/// Whether a status says that what was asked for was not done: its severity is not success or
/// information (MS-ERREF §2.3), and it does not only say that there is more.
pub(crate) fn is_failure(status: u32) -> bool {
    status >> 30 >= 2 && status != BUFFER_OVERFLOW
}

/// What servers answer, ascending.
const STATUSES: [(u32, &str); 96] = [
    (0x0000_0000, "SUCCESS"),
    (0x0000_0103, "PENDING"),
    (0x0000_010b, "NOTIFY_CLEANUP"),
    (0x0000_010c, "NOTIFY_ENUM_DIR"),
    (0x8000_0005, "BUFFER_OVERFLOW"),
    (0x8000_0006, "NO_MORE_FILES"),
    (0x8000_000d, "PARTIAL_COPY"),
    (0x8000_001a, "NO_MORE_ENTRIES"),
    (0x8000_002d, "STOPPED_ON_SYMLINK"),
    (0xc000_0001, "UNSUCCESSFUL"),
    (0xc000_0002, "NOT_IMPLEMENTED"),
    (0xc000_0003, "INVALID_INFO_CLASS"),
    (0xc000_0004, "INFO_LENGTH_MISMATCH"),
    (0xc000_0008, "INVALID_HANDLE"),
    (0xc000_000d, "INVALID_PARAMETER"),
    (0xc000_000e, "NO_SUCH_DEVICE"),
    (0xc000_000f, "NO_SUCH_FILE"),
    (0xc000_0010, "INVALID_DEVICE_REQUEST"),
    (0xc000_0011, "END_OF_FILE"),
    (0xc000_0016, "MORE_PROCESSING_REQUIRED"),
    (0xc000_0017, "NO_MEMORY"),
    (0xc000_0018, "CONFLICTING_ADDRESSES"),
    (0xc000_0021, "ALREADY_COMMITTED"),
    (0xc000_0022, "ACCESS_DENIED"),
    (0xc000_0023, "BUFFER_TOO_SMALL"),
    (0xc000_0024, "OBJECT_TYPE_MISMATCH"),
    (0xc000_0033, "OBJECT_NAME_INVALID"),
    (0xc000_0034, "OBJECT_NAME_NOT_FOUND"),
    (0xc000_0035, "OBJECT_NAME_COLLISION"),
    (0xc000_0039, "OBJECT_PATH_INVALID"),
    (0xc000_003a, "OBJECT_PATH_NOT_FOUND"),
    (0xc000_003b, "OBJECT_PATH_SYNTAX_BAD"),
    (0xc000_003e, "DATA_ERROR"),
    (0xc000_0043, "SHARING_VIOLATION"),
    (0xc000_0044, "QUOTA_EXCEEDED"),
    (0xc000_004f, "EAS_NOT_SUPPORTED"),
    (0xc000_0054, "FILE_LOCK_CONFLICT"),
    (0xc000_0055, "LOCK_NOT_GRANTED"),
    (0xc000_0056, "DELETE_PENDING"),
    (0xc000_0059, "UNKNOWN_REVISION"),
    (0xc000_005e, "NO_LOGON_SERVERS"),
    (0xc000_0061, "PRIVILEGE_NOT_HELD"),
    (0xc000_0064, "NO_SUCH_USER"),
    (0xc000_006a, "WRONG_PASSWORD"),
    (0xc000_006d, "LOGON_FAILURE"),
    (0xc000_006e, "ACCOUNT_RESTRICTION"),
    (0xc000_006f, "INVALID_LOGON_HOURS"),
    (0xc000_0070, "INVALID_WORKSTATION"),
    (0xc000_0071, "PASSWORD_EXPIRED"),
    (0xc000_0072, "ACCOUNT_DISABLED"),
    (0xc000_007e, "RANGE_NOT_LOCKED"),
    (0xc000_007f, "DISK_FULL"),
    (0xc000_008b, "INVALID_IMAGE_NOT_MZ"),
    (0xc000_009a, "INSUFFICIENT_RESOURCES"),
    (0xc000_00a2, "MEDIA_WRITE_PROTECTED"),
    (0xc000_00a3, "DEVICE_NOT_READY"),
    (0xc000_00ac, "PIPE_NOT_AVAILABLE"),
    (0xc000_00ad, "INVALID_PIPE_STATE"),
    (0xc000_00ae, "PIPE_BUSY"),
    (0xc000_00b0, "PIPE_DISCONNECTED"),
    (0xc000_00b1, "PIPE_CLOSING"),
    (0xc000_00b5, "IO_TIMEOUT"),
    (0xc000_00ba, "FILE_IS_A_DIRECTORY"),
    (0xc000_00bb, "NOT_SUPPORTED"),
    (0xc000_00bc, "REMOTE_NOT_LISTENING"),
    (0xc000_00be, "BAD_NETWORK_PATH"),
    (0xc000_00c3, "INVALID_NETWORK_RESPONSE"),
    (0xc000_00c9, "NETWORK_NAME_DELETED"),
    (0xc000_00ca, "NETWORK_ACCESS_DENIED"),
    (0xc000_00cb, "BAD_DEVICE_TYPE"),
    (0xc000_00cc, "BAD_NETWORK_NAME"),
    (0xc000_00ce, "TOO_MANY_SESSIONS"),
    (0xc000_00d0, "REQUEST_NOT_ACCEPTED"),
    (0xc000_00d4, "NOT_SAME_DEVICE"),
    (0xc000_00dc, "INVALID_SERVER_STATE"),
    (0xc000_00e5, "INTERNAL_ERROR"),
    (0xc000_0101, "DIRECTORY_NOT_EMPTY"),
    (0xc000_0103, "NOT_A_DIRECTORY"),
    (0xc000_0120, "CANCELLED"),
    (0xc000_0121, "CANNOT_DELETE"),
    (0xc000_0128, "FILE_CLOSED"),
    (0xc000_0133, "TIME_DIFFERENCE_AT_DC"),
    (0xc000_014b, "PIPE_BROKEN"),
    (0xc000_015b, "LOGON_TYPE_NOT_GRANTED"),
    (0xc000_018a, "NO_TRUST_LSA_SECRET"),
    (0xc000_018d, "TRUSTED_RELATIONSHIP_FAILURE"),
    (0xc000_0192, "NETLOGON_NOT_STARTED"),
    (0xc000_0193, "ACCOUNT_EXPIRED"),
    (0xc000_0203, "USER_SESSION_DELETED"),
    (0xc000_020c, "CONNECTION_DISCONNECTED"),
    (0xc000_0224, "PASSWORD_MUST_CHANGE"),
    (0xc000_0225, "NOT_FOUND"),
    (0xc000_0234, "ACCOUNT_LOCKED_OUT"),
    (0xc000_0257, "PATH_NOT_COVERED"),
    (0xc000_035c, "NETWORK_SESSION_EXPIRED"),
    (0xc000_0466, "SERVER_UNAVAILABLE"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_ascend() {
        assert!(STATUSES.is_sorted_by_key(|(number, _)| *number));
        assert_eq!(status(0xc000_0022), b"ACCESS_DENIED");
        assert_eq!(status(0xc0ab_cdef), b"0xc0abcdef");
        assert!(is_failure(0xc000_0022) && is_failure(0x8000_0006));
        assert!(!is_failure(BUFFER_OVERFLOW) && !is_failure(PENDING));
    }

    #[test]
    fn options_by_bit() {
        assert_eq!(options(0x0000_1041), ["directory", "non_directory", "delete_on_close"]);
        assert!(options(0xff0c_0080).is_empty());
    }
}
