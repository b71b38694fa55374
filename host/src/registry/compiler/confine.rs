//! What the compile worker takes from itself before it reads a byte that somebody else wrote.
//!
//! A worker needs its pipes, memory, a clock and an end. Everything else that the system would do for
//! it is refused: opening files, sockets, starting programs or threads, sending signals, making memory
//! executable.

use std::fs::{self, DirEntry};
use std::io;
use std::os::fd::RawFd;

use rustix::process::{self, Resource, Rlimit};

use super::CompilerLimits;

/// How much lower than its parent's the worker's priority is. With more, a reload under full load
/// takes seconds.
const NICE: i32 = 3;

/// What came of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Confinement {
    /// System calls are restricted. The rest holds wherever there is a worker at all.
    pub(super) seccomp: bool,
    /// File descriptors that stay open.
    pub(super) descriptors: usize,
}

/// Takes from this process what compiling does not need. There is no way back.
///
/// # Errors
/// When a limit can not be set: compiling without it is not an option.
pub(super) fn confine(limits: &CompilerLimits) -> io::Result<Confinement> {
    // Ends with the thread that started it. If that had ended before, the pipe is closed as well.
    #[cfg(target_os = "linux")]
    process::set_parent_process_death_signal(Some(process::Signal::KILL))?;
    // A lower priority is a courtesy.
    let _ = process::nice(NICE);
    let seconds = limits.cpu_seconds();
    for (resource, soft, hard) in [
        (Resource::Core, 0, 0),
        (Resource::Fsize, 0, 0),
        // The signal of the lower one says why; the higher one ends a worker that ignores it.
        (Resource::Cpu, seconds, seconds.saturating_add(1)),
        (Resource::As, limits.memory, limits.memory),
    ] {
        limit(resource, soft, hard)?;
    }
    let descriptors = close_others()?;
    limit(Resource::Nofile, 3, 3)?;
    #[cfg(target_os = "linux")]
    process::set_dumpable_behavior(process::DumpableBehavior::NotDumpable)?;
    Ok(Confinement { seccomp: filter::apply(), descriptors })
}

fn limit(resource: Resource, soft: u64, hard: u64) -> io::Result<()> {
    // A limit that is lower already stays.
    let now = process::getrlimit(resource);
    let least = |wanted: u64, now: Option<u64>| Some(now.map_or(wanted, |now| now.min(wanted)));
    let maximum = least(hard, now.maximum);
    let current = least(soft, now.current).min(maximum);
    Ok(process::setrlimit(resource, Rlimit { current, maximum })?)
}

/// Closes what a parent may have left open: a library's sockets are not all close-on-exec.
fn close_others() -> io::Result<usize> {
    let open = || -> io::Result<Vec<RawFd>> {
        let entries = fs::read_dir("/dev/fd")?;
        let number = |entry: io::Result<DirEntry>| entry.ok()?.file_name().to_str()?.parse().ok();
        Ok(entries.filter_map(number).collect())
    };
    // The list's own descriptor was in it and is closed by now.
    let stays = |descriptor: &RawFd| fs::symlink_metadata(format!("/dev/fd/{descriptor}")).is_ok();
    for descriptor in open()?.into_iter().filter(|descriptor| *descriptor > 2).filter(stays) {
        close(descriptor);
    }
    Ok(open()?.len().saturating_sub(1))
}

#[expect(
    unsafe_code,
    reason = "closing a descriptor that something in this process owns would pull the ground from under \
              it. A worker is a new process with one thread that has opened nothing yet: what is open \
              above 2 was left by its parent, and nothing in here knows of it"
)]
fn close(descriptor: RawFd) {
    // SAFETY: as above, nobody in this process owns it.
    unsafe { rustix::io::close(descriptor) }
}

#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod filter {
    //! The system calls that are left.

    use std::collections::BTreeMap;
    use std::env::consts::ARCH;

    use seccompiler::{
        BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition,
        SeccompFilter, SeccompRule, apply_filter,
    };

    /// For any arguments.
    const ANY: &[libc::c_long] = &[
        libc::SYS_munmap,
        libc::SYS_mremap,
        libc::SYS_madvise,
        libc::SYS_brk,
        libc::SYS_futex,
        libc::SYS_exit,
        libc::SYS_exit_group,
        libc::SYS_rt_sigaction,
        libc::SYS_rt_sigprocmask,
        libc::SYS_rt_sigreturn,
        libc::SYS_sigaltstack,
        libc::SYS_restart_syscall,
        libc::SYS_clock_gettime,
        libc::SYS_clock_getres,
        libc::SYS_gettimeofday,
        libc::SYS_getrandom,
        libc::SYS_sched_yield,
        libc::SYS_sched_getaffinity,
        libc::SYS_getpid,
        libc::SYS_gettid,
    ];

    /// Restricts this thread, the only one of the worker. False: the kernel does not want to.
    pub(super) fn apply() -> bool {
        program().is_ok_and(|program| apply_filter(&program).is_ok())
    }

    fn program() -> Result<BpfProgram, BackendError> {
        let mut rules: BTreeMap<i64, Vec<SeccompRule>> =
            ANY.iter().map(|call| (*call, Vec::new())).collect();
        rules.insert(libc::SYS_read, vec![argument(0, SeccompCmpOp::Eq, 0)?]);
        let outputs = || {
            Ok::<_, BackendError>(vec![
                argument(0, SeccompCmpOp::Eq, 1)?,
                argument(0, SeccompCmpOp::Eq, 2)?,
            ])
        };
        rules.insert(libc::SYS_write, outputs()?);
        rules.insert(libc::SYS_writev, outputs()?);
        // Code is made as data, and runs elsewhere.
        let executable = u64::from(libc::PROT_EXEC.unsigned_abs());
        let data =
            || Ok::<_, BackendError>(vec![argument(2, SeccompCmpOp::MaskedEq(executable), 0)?]);
        rules.insert(libc::SYS_mmap, data()?);
        rules.insert(libc::SYS_mprotect, data()?);
        // How a process aborts.
        let own = u64::from(std::process::id());
        rules.insert(libc::SYS_tgkill, vec![argument(0, SeccompCmpOp::Eq, own)?]);
        let otherwise = SeccompAction::Errno(libc::EPERM.unsigned_abs());
        SeccompFilter::new(rules, otherwise, SeccompAction::Allow, ARCH.try_into()?)?.try_into()
    }

    fn argument(
        index: u8,
        operator: SeccompCmpOp,
        value: u64,
    ) -> Result<SeccompRule, BackendError> {
        SeccompRule::new(vec![SeccompCondition::new(
            index,
            SeccompCmpArgLen::Dword,
            operator,
            value,
        )?])
    }
}

#[cfg(not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))))]
mod filter {
    //! No way to restrict system calls here.

    pub(super) fn apply() -> bool {
        false
    }
}
