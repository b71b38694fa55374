//! Mails of live connections and of their variants against what their senders know.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use flowcell_tests::corpus::{self, Corpus, TrueFlow, Truth};
use serde_json::Value;

use crate::mails::{self, Mail};

const ORIGINAL: &str = "live-mini-open";

#[test]
fn live_mails_are_what_the_clients_sent() {
    let Some(corpus) = Corpus::find() else { return };
    for name in [ORIGINAL, "live-clean-small"] {
        let Some(truth) = corpus.truth(name) else { continue };
        let mut ours = mails::read(&corpus.path(&format!("live/{name}.pcap")));
        let mut count = 0;
        for (client, mail) in sent(&truth) {
            // Ports are used again: the mails of one client are in time order.
            let found = ours.iter().position(|ours| ours.is_of(client));
            let found = found.unwrap_or_else(|| panic!("{name}: {client}: no mail {mail:?}"));
            let ours = ours.remove(found);
            assert_eq!(ours.text("mailfrom"), Some(mail.from.as_str()), "{name}: {client}");
            assert_eq!(ours.accepted(), mail.to, "{name}: {client}");
            assert_eq!(ours.text("subject"), Some(mail.subject.as_str()), "{name}: {client}");
            assert_eq!(ours.data["incomplete"], false, "{name}: {client}");
            // The truth counts the dots that were doubled on the way; few lines start with one.
            let size = ours.data["size"].as_u64().expect("a size");
            let dots = mail.sent.checked_sub(size);
            assert!(dots.is_some_and(|dots| dots * 100 <= mail.sent), "{name}: {client}: {size}");
            count += 1;
        }
        assert!(ours.is_empty(), "{name}: mails that nobody sent: {ours:?}");
        println!("{name}: {count} mails");
    }
}

#[test]
fn variants_have_the_mails_of_their_original() {
    let Some(corpus) = Corpus::find() else { return };
    let Some(truth) = corpus.truth(ORIGINAL) else { return };
    let original = by_client(&truth, &corpus.path(&format!("live/{ORIGINAL}.pcap")));
    let mut rows = vec![["variant", "mails", "found", "why not"].map(str::to_owned).to_vec()];
    let mut wrong = Vec::new();
    for variant in corpus.variants() {
        let found = by_client(&truth, &variant.path);
        let expected = expected(&truth, &original, &variant.truth);
        let (mut whole, mut total) = (0, 0);
        let mut differ = Vec::new();
        for (client, mails) in &expected {
            total += mails.len();
            let ours = found.get(client).map(|mails| {
                mails.iter().map(|mail| seen(mail, &variant.truth)).collect::<Vec<_>>()
            });
            let theirs: Vec<_> = mails.iter().map(|mail| seen(mail, &variant.truth)).collect();
            if ours.as_ref() == Some(&theirs) {
                whole += mails.len();
            } else {
                differ.push(format!("{}: {client}: {ours:?}, not {theirs:?}", variant.name));
            }
        }
        let why = match expected.is_empty() {
            true => format!("{:?}: not compared", variant.truth),
            false => String::new(),
        };
        wrong.extend(differ);
        rows.push(vec![variant.name, total.to_string(), whole.to_string(), why]);
    }
    println!("{}", corpus::table(&rows));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn sent(truth: &[TrueFlow]) -> impl Iterator<Item = (SocketAddr, &corpus::TrueMail)> {
    truth.iter().flat_map(|flow| flow.mails.iter().map(|mail| (flow.client, mail)))
}

/// The mails of a capture, by their client.
fn by_client(truth: &[TrueFlow], capture: &std::path::Path) -> BTreeMap<SocketAddr, Vec<Mail>> {
    let mut clients: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for mail in mails::read(capture) {
        let flow = truth.iter().find(|flow| mail.is_of(flow.client)).expect("a flow that was");
        clients.entry(flow.client).or_default().push(mail);
    }
    clients
}

/// The mails of the original that a variant still shows whole.
fn expected(
    truth: &[TrueFlow],
    original: &BTreeMap<SocketAddr, Vec<Mail>>,
    still: &Truth,
) -> BTreeMap<SocketAddr, Vec<Mail>> {
    let is_whole = |client: &SocketAddr| match still {
        Truth::Same | Truth::ClientOnly | Truth::Checksums => true,
        Truth::SameV4 => client.is_ipv4(),
        Truth::Without(ranges) => ranges.keys().all(|(_, other)| other != client),
        Truth::ServerOnly | Truth::CutSegments | Truth::CutCapture => false,
    };
    let clients = truth.iter().filter(|flow| flow.proto == "smtp").map(|flow| flow.client);
    let whole = clients.filter(is_whole);
    whole.map(|client| (client, original.get(&client).cloned().unwrap_or_default())).collect()
}

/// A mail's record without what comes from the side that can't be seen.
fn seen(mail: &Mail, truth: &Truth) -> Value {
    let mut data = mail.data.clone();
    if let (Truth::ClientOnly, Some(fields)) = (truth, data.as_object_mut()) {
        fields.remove("last_reply");
    }
    data
}
