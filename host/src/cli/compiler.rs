//! The compiler of parsers as the command line sets it up, and its worker.

use std::io::{Write, stderr};

use anyhow::{Context, Result, anyhow};

use super::args::{CacheArgs, CompileWorkerArgs};
use super::exit::Exit;
use crate::driver::Messages;
use crate::registry::Compiler;
use crate::registry::compiler::{self, Cache, CompilerLimits, this_program};

/// The compiler that a run loads its parsers with.
pub(super) fn compiler(
    args: &CacheArgs,
    limits: &CompilerLimits,
    messages: &Messages,
) -> Result<Compiler> {
    let program = this_program().context("the program can not find its own file")?;
    let cache = cache(args, limits, messages);
    let messages = messages.clone();
    let compiler = Compiler::subprocess(program, *limits);
    Ok(compiler.with(cache, move |text| messages.tell(text)))
}

/// No run fails for want of a cache.
fn cache(args: &CacheArgs, limits: &CompilerLimits, messages: &Messages) -> Option<Cache> {
    if args.no_cache {
        return None;
    }
    let folder = args.cache.clone().or_else(Cache::usual_folder)?;
    let opened = Cache::open(folder, limits.cache_bytes);
    opened.inspect_err(|error| messages.tell(&error.to_string())).ok()
}

/// `flowcell compile-worker`.
pub(super) fn work(args: &CompileWorkerArgs) -> Result<Exit> {
    let settings = args.settings.iter().map(String::as_str);
    let limits = CompilerLimits::of_settings(settings)
        .map_err(|setting| anyhow!("`{setting}` is no limit of the compiler"))?;
    let work = if args.probe { compiler::probe } else { compiler::work };
    Ok(match work(&limits) {
        Ok(()) => Exit::Done,
        Err(problem) => {
            // Read by the process that started this one.
            let _ = writeln!(stderr(), "{problem}");
            Exit::BadInput
        }
    })
}
