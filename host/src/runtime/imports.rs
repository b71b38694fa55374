//! The host functions of `wit/parser.wit`: everything that a parser can do to the world.

use flowcell_contract::PARSER_NAME;
use wasmtime::StoreContextMut;
use wasmtime::component::{Linker, WasmList};

use super::bindings::flowcell::parser::host::Level;
use super::bindings::flowcell::parser::types::{Expectation, Side};
use super::endpoint::socket_address;
use super::engine::Engine;
use super::fault::{FaultClass, Violation, clipped};
use super::state::{Emitted, Expected, LogLine, MAX_HANDED, Phase, State, Switch, Verdict, index};
use super::transcode;

/// The world that a parser has to be of.
pub const WORLD: &str = "flowcell:parser/parser@0.1.0";

/// Its one interface of functions.
pub(crate) const HOST_INTERFACE: &str = "flowcell:parser/host@0.1.0";

/// Links the host functions. `emit` reads the body where it lies; everything else is small.
pub(crate) fn linker(engine: &Engine) -> wasmtime::Result<Linker<State>> {
    let mut linker = Linker::new(engine.inner());
    // Interfaces of types alone hold nothing, but have to be there.
    linker.instance("flowcell:parser/types@0.1.0")?;
    linker.instance("flowcell:parser/description-types@0.1.0")?;
    let mut host = linker.instance(HOST_INTERFACE)?;
    host.func_wrap("emit", emit)?;
    host.func_wrap("confirm", |mut store: StoreContextMut<'_, State>, (): ()| {
        parsing(&mut store, "confirm")?.confirmed = true;
        store.data_mut().confirmed = true;
        Ok(())
    })?;
    host.func_wrap("decline", |mut store: StoreContextMut<'_, State>, (reason,): (String,)| {
        pay(&mut store, reason.len());
        let reason = clipped(&reason, store.data().limits.text_bytes);
        // After `confirm` it can not be somebody else's protocol any more.
        let confirmed = store.data().confirmed;
        let verdict = if confirmed { Verdict::Failed } else { Verdict::Declined };
        parsing(&mut store, "decline")?.verdict.get_or_insert(verdict(reason));
        Ok(())
    })?;
    host.func_wrap("fail", |mut store: StoreContextMut<'_, State>, (reason,): (String,)| {
        pay(&mut store, reason.len());
        let reason = clipped(&reason, store.data().limits.text_bytes);
        parsing(&mut store, "fail")?.verdict.get_or_insert(Verdict::Failed(reason));
        Ok(())
    })?;
    host.func_wrap("skip", |mut store: StoreContextMut<'_, State>, (side, bytes): (Side, u64)| {
        let skip = &mut parsing(&mut store, "skip")?.skip[index(side)];
        *skip = skip.saturating_add(bytes);
        Ok(())
    })?;
    host.func_wrap("done", |mut store: StoreContextMut<'_, State>, (side,): (Side,)| {
        parsing(&mut store, "done")?.done[index(side)] = true;
        Ok(())
    })?;
    host.func_wrap("segment", |mut store: StoreContextMut<'_, State>, (index,): (u32,)| {
        parsing(&mut store, "segment")?;
        Ok(store.data_mut().go_on(index)?)
    })?;
    host.func_wrap("switch-to", switch_to)?;
    host.func_wrap("expect", expect)?;
    host.func_wrap("sha256-add", sha256_add)?;
    host.func_wrap("sha256-end", |mut store: StoreContextMut<'_, State>, (number,): (u32,)| {
        parsing(&mut store, "sha256-end")?;
        let [a, b, c, d] = store.data_mut().digests.end(number).ok_or_else(|| no_digest(number))?;
        Ok(((a, b, c, d),))
    })?;
    host.func_wrap("log", log)?;
    Ok(linker)
}

fn switch_to(
    mut store: StoreContextMut<'_, State>,
    (protocol, client, server): (String, WasmList<u8>, WasmList<u8>),
) -> wasmtime::Result<()> {
    let handed = [&client, &server].map(|list| list.as_le_slice(&store));
    let counts = handed.map(<[u8]>::len);
    if !store.data().may_hand_over(counts) {
        let [client, server] = counts;
        let message = if client.max(server) > MAX_HANDED {
            format!(
                "`switch-to` with {client} and {server} bytes, {MAX_HANDED} allowed of each side"
            )
        } else {
            format!(
                "`switch-to` with {client} and {server} bytes, of which not so many were delivered"
            )
        };
        return Err(Violation::new(FaultClass::HostCall, message).into());
    }
    let handed = handed.map(<[u8]>::to_vec);
    pay(&mut store, counts.iter().sum());
    let protocol = clipped(&protocol, store.data().limits.text_bytes);
    let verdict = Verdict::Switched(Switch { protocol, handed });
    parsing(&mut store, "switch-to")?.verdict.get_or_insert(verdict);
    Ok(())
}

/// Most flows that a parser can expect in one call: more than it may expect of a flow is no use.
const EXPECTED_PER_CALL: usize = 32;

/// Most bytes that the parser of an expected flow is told.
const MAX_CONTEXT: usize = 1024;

fn expect(
    mut store: StoreContextMut<'_, State>,
    (expectation,): (Expectation,),
) -> wasmtime::Result<()> {
    let Expectation { parser, transport, server, context } = expectation;
    let described = store.data().description.as_ref().is_some_and(|known| known.expects);
    pay(&mut store, context.len());
    parsing(&mut store, "expect")?;
    let problem = if !described {
        Some("called, and `description.expects` is false".into())
    } else if context.len() > MAX_CONTEXT {
        Some(format!("with a context of {} bytes, {MAX_CONTEXT} allowed", context.len()))
    } else if parser.len() > PARSER_NAME.longest {
        let (length, longest) = (parser.len(), PARSER_NAME.longest);
        Some(format!("of a parser's name of {length} bytes, {longest} allowed"))
    } else {
        None
    };
    if let Some(problem) = problem {
        let message = format!("`expect` {problem}");
        return Err(Violation::new(FaultClass::HostCall, message).into());
    }
    let state = store.data_mut();
    state.confirmed = true;
    let output = &mut state.output;
    output.confirmed = true;
    if output.expected.len() == EXPECTED_PER_CALL {
        output.expected.remove(0);
        output.expected_before += 1;
    }
    let server = socket_address(&server);
    output.expected.push(Expected { parser, transport, server, context });
    Ok(())
}

/// Most bytes that are added to a digest at once, as the contract says: a call of the host can't be
/// interrupted.
const MAX_DIGESTED: usize = 65_536;

fn sha256_add(
    mut store: StoreContextMut<'_, State>,
    (number, bytes): (u32, WasmList<u8>),
) -> wasmtime::Result<()> {
    parsing(&mut store, "sha256-add")?;
    let length = bytes.as_le_slice(&store).len();
    pay(&mut store, length);
    if length > MAX_DIGESTED {
        let message = format!("`sha256-add` with {length} bytes, {MAX_DIGESTED} allowed");
        return Err(Violation::new(FaultClass::HostCall, message).into());
    }
    let mut digests = std::mem::take(&mut store.data_mut().digests);
    let added = digests.add(number, bytes.as_le_slice(&store));
    store.data_mut().digests = digests;
    Ok(added.ok_or_else(|| no_digest(number))?)
}

fn no_digest(number: u32) -> Violation {
    let message = format!("there is no digest {number}: they are numbered from 0 to 15");
    Violation::new(FaultClass::HostCall, message)
}

fn emit(
    mut store: StoreContextMut<'_, State>,
    (kind, body): (u32, WasmList<u8>),
) -> wasmtime::Result<()> {
    parsing(&mut store, "emit")?;
    let length = body.as_le_slice(&store).len();
    pay(&mut store, length);
    let state = store.data_mut();
    state.count_record()?;
    let record_bytes = state.limits.record_bytes;
    let kind = kind as usize;
    let description = store.data().description.as_ref();
    let Some(schema) = description.and_then(|known| known.records.get(kind)) else {
        let message = format!("record kind {kind} was not described");
        return Err(Violation::new(FaultClass::BadRecord, message).into());
    };
    if length > record_bytes {
        let message = format!("record `{}` of {length} bytes, {record_bytes} allowed", schema.name);
        return Err(Violation::new(FaultClass::BadRecord, message).into());
    }
    let (json, escaped) = transcode::record(schema, body.as_le_slice(&store))
        .map_err(|error| Violation::new(FaultClass::BadRecord, error.to_string()))?;
    let state = store.data_mut();
    state.emit(json.len())?;
    (state.confirmed, state.output.confirmed) = (true, true);
    state.output.records.push(Emitted { kind, json, escaped, segment: state.output.segment });
    Ok(())
}

fn log(
    mut store: StoreContextMut<'_, State>,
    (level, message): (Level, String),
) -> wasmtime::Result<()> {
    pay(&mut store, message.len());
    let state = store.data_mut();
    let message = clipped(&message, state.limits.text_bytes);
    let level = match level {
        Level::Error => {
            state.last_words = Some(message.clone());
            "error"
        }
        Level::Warn => "warn",
        Level::Info => "info",
        Level::Debug => "debug",
    };
    if state.log_lines < state.limits.log_lines {
        state.log_lines += 1;
        state.output.log.push(LogLine { level, message, segment: state.output.segment });
    } else {
        state.output.log_dropped += 1;
    }
    Ok(())
}

/// Instructions that a call of the host is worth, besides one for each byte that it is given.
const CALL_PRICE: u64 = 100;

/// Takes fuel for work of the host, where guests run on that: it would be for nothing otherwise.
fn pay(store: &mut StoreContextMut<'_, State>, bytes: usize) {
    if store.data().budget.by_fuel {
        let price = CALL_PRICE.saturating_add(bytes as u64);
        let left = store.get_fuel().unwrap_or(0);
        // Only an engine without fuel refuses it.
        let _ = store.set_fuel(left.saturating_sub(price));
    }
}

/// The output, where the guest may write to it.
fn parsing<'a>(
    store: &'a mut StoreContextMut<'_, State>,
    function: &str,
) -> Result<&'a mut super::state::Output, Violation> {
    pay(store, 0);
    let state = store.data_mut();
    match state.phase {
        Phase::Parse => Ok(&mut state.output),
        Phase::Describe => {
            let message = format!("`{function}` called from `describe`");
            Err(Violation::new(FaultClass::HostCall, message))
        }
    }
}
