//! Flows of datagrams.

mod wire;

use wire::{A, AA, CNAME, HTTPS, Message, QR, RA, RD, SOA, UDP, check, client, name, server};

const ADDRESS: [u8; 4] = [192, 0, 2, 1];

fn query(id: u16) -> Vec<u8> {
    Message::query(id, "www.example.com", A).bytes()
}

fn reply(id: u16) -> Vec<u8> {
    Message::reply(id, "www.example.com", A).record(1, A, 300, &ADDRESS).bytes()
}

#[test]
fn a_query_and_its_reply() {
    check(&[
        UDP,
        &client(&query(0x1234)),
        &server(&reply(0x1234)),
        r#"= transaction {"trans_id":4660,"query":"www.example.com","qclass":1,"qclass_name":"C_INTERNET","#,
        r#""qtype":1,"qtype_name":"A","opcode":0,"opcode_name":"query","rcode":0,"rcode_name":"NOERROR","#,
        r#""aa":false,"tc":false,"rd":true,"ra":true,"z":0,"rejected":false,"answers":["192.0.2.1"],"#,
        r#""ttls":[300],"answer_types":["A"],"answer_names":null,"rtt":0.0,"query_len":33,"#,
        r#""reply_len":49,"num_queries":1,"num_answers":1,"malformed":null,"retries":0}"#,
        "\n! confirm\n",
    ]);
}

#[test]
fn replies_in_another_order() {
    check(&[
        UDP,
        &client(&query(1)),
        &client(&query(2)),
        &client(&query(3)),
        &server(&reply(3)),
        &server(&reply(1)),
        "= transaction {\"trans_id\":3,\"query_len\":33,\"rcode\":0}\n",
        "= transaction {\"trans_id\":1,\"query_len\":33,\"rcode\":0}\n",
        "= transaction {\"trans_id\":2,\"query_len\":33,\"rcode\":null,\"rtt\":null}\n",
    ]);
}

/// Who asks is not always the client: two servers talk from port 53 to port 53.
#[test]
fn the_server_asks() {
    check(&[
        UDP,
        &server(&query(1)),
        &client(&query(1)),
        &client(&reply(1)),
        &server(&reply(1)),
        "= transaction {\"trans_id\":1,\"query_len\":33,\"reply_len\":49}\n",
        "= transaction {\"trans_id\":1,\"query_len\":33,\"reply_len\":49}\n",
    ]);
}

#[test]
fn queries_that_are_sent_again() {
    check(&[
        UDP,
        &client(&query(1)),
        &client(&query(1)),
        &client(&query(1)),
        &server(&reply(1)),
        &client(&query(2)),
        &client(&query(2)),
        "= transaction {\"trans_id\":1,\"retries\":2,\"rcode\":0}\n",
        "= transaction {\"trans_id\":2,\"retries\":1,\"rcode\":null}\n",
    ]);
}

/// Same identifier, another question: both wait. Case does not matter (0x20 bits), the rest does.
#[test]
fn identifier_and_question_make_a_pair() {
    let other = Message::query(1, "other.example", A).bytes();
    let https = Message::query(1, "www.example.com", HTTPS).bytes();
    let mixed = Message::reply(1, "WwW.eXaMpLe.CoM", A).record(1, A, 1, &ADDRESS).bytes();
    check(&[
        UDP,
        &client(&other),
        &client(&https),
        &client(&query(1)),
        &server(&mixed),
        "= transaction {\"query\":\"www.example.com\",\"qtype_name\":\"A\",\"rcode\":0,\"query_len\":33,\"answer_names\":null}\n",
        "= transaction {\"query\":\"other.example\",\"rcode\":null}\n",
        "= transaction {\"qtype_name\":\"HTTPS\",\"rcode\":null}\n",
    ]);
}

#[test]
fn a_reply_without_its_query() {
    check(&[
        UDP,
        &server(&reply(7)),
        "= transaction {\"trans_id\":7,\"query\":\"www.example.com\",\"query_ts\":null,\"query_len\":null,\"rtt\":null,\"answers\":[\"192.0.2.1\"]}\n",
    ]);
}

/// The capture has the reply before the query: one record.
#[test]
fn a_reply_before_its_query() {
    check(&[
        UDP,
        &server(&reply(7)),
        &client(&query(7)),
        &client(&query(7)),
        "= transaction {\"trans_id\":7,\"rcode\":0,\"rtt\":null}\n",
        "= transaction {\"trans_id\":7,\"rcode\":null}\n",
    ]);
}

/// A server that can not read the query answers with a header alone.
#[test]
fn a_reply_without_question() {
    check(&[
        UDP,
        &client(&query(7)),
        &server(&Message::new(7, QR | 1).bytes()),
        "= transaction {\"trans_id\":7,\"query\":\"www.example.com\",\"rcode_name\":\"FORMERR\",\"rejected\":true,\"num_queries\":0}\n",
    ]);
}

/// 256 queries wait; one more makes room for itself.
#[test]
fn queries_that_wait_are_bounded() {
    let queries: String = (0..300).map(|id| client(&query(id))).collect();
    let records: String =
        (0..300).map(|id| format!("= transaction {{\"trans_id\":{id}}}\n")).collect();
    check(&[UDP, &queries, &records]);
    let with_reply =
        [&client(&query(0)), &server(&reply(0)), &client(&query(1)), &server(&reply(1))];
    let records = "= transaction {\"rcode\":0}\n= transaction {\"rcode\":0}\n";
    check(&[UDP, with_reply[0], with_reply[2], with_reply[1], with_reply[3], records]);
}

#[test]
fn aliases_and_other_sections() {
    let alias = name("cdn.example.net");
    let soa =
        [name("ns.example"), name("admin.example"), [1, 2, 3, 4, 5].map(u32::to_be_bytes).concat()];
    let reply = Message::new(1, QR | AA | RD | RA)
        .question("www.example.com", A, 1)
        .record(1, CNAME, 60, &alias)
        .owned(1, &alias, A, 1, 30, &ADDRESS)
        .owned(2, &name("example.com"), SOA, 1, 900, &soa.concat())
        .owned(3, &name("ns.example"), A, 1, 86400, &[192, 0, 2, 53])
        .opt(1232, 0x8000, &[])
        .bytes();
    check(&[
        UDP,
        &client(&query(1)),
        &server(&reply),
        r#"= transaction {"aa":true,"answers":["cdn.example.net","192.0.2.1"],"ttls":[60,30],"#,
        r#""answer_types":["CNAME","A"],"answer_names":["www.example.com","cdn.example.net"],"#,
        r#""auth":["example.com 900 IN SOA ns.example admin.example 1 2 3 4 5"],"#,
        r#""addl":["ns.example 86400 IN A 192.0.2.53"],"num_auth":1,"num_addl":2,"#,
        r#""reply_edns":{"version":0,"udp_size":1232,"dnssec_ok":true,"options":[]},"query_edns":null}"#,
        "\n",
    ]);
}

#[test]
fn response_codes() {
    let reply = |id, rcode| Message::new(id, QR | RD | RA | rcode).question("a.example", A, 1);
    let ask = |id| client(&Message::query(id, "a.example", A).bytes());
    check(&[
        UDP,
        &ask(1),
        &server(&reply(1, 3).bytes()),
        &ask(2),
        &server(&reply(2, 5).bytes()),
        &ask(3),
        // 1 in the extended bits and 7 make 23.
        &server(&reply(3, 7).opt(512, 0x0100_0000, &[]).bytes()),
        "= transaction {\"rcode\":3,\"rcode_name\":\"NXDOMAIN\",\"rejected\":true}\n",
        "= transaction {\"rcode\":5,\"rcode_name\":\"REFUSED\",\"rejected\":true}\n",
        "= transaction {\"rcode\":23,\"rcode_name\":\"BADCOOKIE\",\"rejected\":false}\n",
    ]);
}

#[test]
fn extensions() {
    let subnet = [0, 8, 0, 7, 0, 1, 24, 0, 198, 51, 100];
    let subnet_6 = [0, 8, 0, 11, 0, 2, 56, 48, 0x20, 1, 0xd, 0xb8, 0, 0xfd, 0x13];
    let error = [&[0, 15, 0, 9, 0, 18][..], b"blocked"].concat();
    let ask = Message::query(1, "a.example", A).opt(4096, 0x8000, &subnet);
    let answer = Message::reply(1, "a.example", A).opt(1232, 0, &[&subnet_6[..], &error].concat());
    check(&[
        UDP,
        &client(&ask.bytes()),
        &server(&answer.bytes()),
        r#"= transaction {"query_edns":{"version":0,"udp_size":4096,"dnssec_ok":true,"options":[8],"#,
        r#""client_subnet":"198.51.100.0/24","client_subnet_scope":0},"#,
        r#""reply_edns":{"version":0,"udp_size":1232,"dnssec_ok":false,"options":[8,15],"#,
        r#""client_subnet":"2001:db8:fd:1300::/56","client_subnet_scope":48,"#,
        r#""extended_error":18,"extended_error_text":"blocked"}}"#,
        "\n",
    ]);
}

#[test]
fn extensions_that_are_wrong() {
    for (options, fault) in [
        (
            &[0, 8, 0, 7, 0, 1, 33, 0, 1, 2, 3][..],
            "the client subnet's prefix is longer than an address",
        ),
        (
            &[0, 8, 0, 7, 0, 1, 25, 0, 1, 2, 3],
            "the client subnet's address does not fit its prefix",
        ),
        (&[0, 8, 0, 4, 0, 9, 0, 0], "the client subnet is of unknown family"),
        (&[0, 8, 0, 3, 0, 1, 0], "the client subnet is too short"),
        (&[0, 15, 0, 1, 0], "the extended error is too short"),
        (&[0, 8, 0], "an EDNS option is cut short"),
        (&[0, 8, 0, 9, 0], "an EDNS option is longer than its record"),
    ] {
        let ask = Message::query(1, "a.example", A).opt(4096, 0, options).bytes();
        let record =
            "= transaction {\"query\":\"a.example\",\"malformed\":\"additional 1 at byte 27: ";
        check(&[UDP, &client(&ask), record, fault, "\"}\n"]);
    }
    let twice = Message::query(1, "a.example", A).opt(1, 0, &[]).opt(2, 0, &[]).bytes();
    let record =
        r#"= transaction {"query_edns":{"version":0,"udp_size":1,"dnssec_ok":false,"options":[]},"#;
    let fault = "\"malformed\":\"additional 2 at byte 38: there is more than one OPT record\"}\n";
    check(&[UDP, &client(&twice), record, fault]);
}

/// Types and classes that have no name, and the root.
#[test]
fn numbers_without_names() {
    let reply = Message::new(1, QR | RD).question("", 1234, 4321).record(1, 1234, 1, &[1, 0xab]);
    check(&[
        UDP,
        &server(&reply.bytes()),
        r#"= transaction {"query":".","qtype":1234,"qtype_name":"TYPE1234","qclass_name":"CLASS4321","#,
        r#""answers":["\\# 2 01AB"],"answer_types":["TYPE1234"]}"#,
        "\n",
    ]);
}

/// An update (RFC 2136) has records without data, and none of them is wrong.
#[test]
fn updates() {
    let update = Message::new(1, 5 << 11)
        .question("example.com", SOA, 1)
        .owned(1, &name("a.example.com"), A, 255, 0, &[])
        .owned(2, &name("b.example.com"), A, 1, 60, &ADDRESS);
    check(&[
        UDP,
        &client(&update.bytes()),
        r#"= transaction {"opcode":5,"opcode_name":"dynamic-update","query":"example.com","qtype_name":"SOA","#,
        r#""answers":["\\# 0"],"auth":["b.example.com 60 IN A 192.0.2.1"],"malformed":null}"#,
        "\n",
    ]);
}

#[test]
fn messages_that_lie() {
    // Eight answers are counted, one is there.
    let mut short = reply(1);
    short[7] = 8;
    // An answer whose data is longer than the message.
    let mut long = reply(2);
    let at = long.len() - 5;
    long[at] = 200;
    // The name in question leads to itself.
    let mut looped = query(3);
    looped.splice(12..29, [0xc0, 12]);
    // Something follows.
    let more = [&reply(4)[..], b"more"].concat();
    check(&[
        UDP,
        &client(&query(1)),
        &client(&query(2)),
        &server(&short),
        &server(&long),
        &client(&looped),
        &server(&more),
        "= transaction {\"trans_id\":1,\"answers\":[\"192.0.2.1\"],\"malformed\":\"answer 2 at byte 49: the message ends\",\"query_len\":33}\n",
        "= transaction {\"trans_id\":2,\"answers\":null,\"malformed\":\"answer 1 at byte 33: the message ends\",\"query_len\":33}\n",
        "= transaction {\"trans_id\":4,\"answers\":[\"192.0.2.1\"],\"malformed\":\"end at byte 49: bytes follow the last record\"}\n",
        "= transaction {\"trans_id\":3,\"query\":null,\"malformed\":\"question 1 at byte 12: a compression pointer does not lead backwards\"}\n",
    ]);
}

/// Data that does not fit its type is shown all the same, and what follows it is read.
#[test]
fn data_that_lies() {
    let reply = Message::reply(1, "a.example", A)
        .record(1, A, 1, &[1, 2, 3])
        .record(1, CNAME, 2, &[0xc0, 0xff])
        .record(1, A, 3, &ADDRESS);
    check(&[
        UDP,
        &server(&reply.bytes()),
        r#"= transaction {"answers":["\\# 3 010203","\\# 2 C0FF","192.0.2.1"],"ttls":[1,2,3],"#,
        r#""malformed":"answer 1 at byte 27: the data is too short for its type"}"#,
        "\n",
    ]);
}

/// What is no header at all is put up with once it is known that this is DNS, and a few times before.
#[test]
fn datagrams_that_are_no_messages() {
    check(&[
        UDP,
        &client(b""),
        &client(b"hello, this is not DNS"),
        &client(&query(1)),
        &client(b"\x00\x07"),
        &server(&reply(1)),
        "= transaction {\"trans_id\":1,\"rcode\":0}\n",
        "= transaction {\"trans_id\":7,\"malformed\":\"header at byte 0: the message ends\",\"query_len\":2}\n",
    ]);
    let hello = client(b"hello, this is not DNS");
    check(&[UDP, &hello, "! decline \"no message of DNS\"\n"]);
    check(&[
        UDP,
        &hello,
        &hello,
        &hello,
        &hello,
        &client(&query(1)),
        "! decline \"no message of DNS\"\n",
    ]);
}

/// A capture that keeps the start of each packet only.
#[test]
fn datagrams_cut_by_the_capture() {
    let reply = reply(1);
    check(&[
        UDP,
        &client(&query(1)[..20]),
        "> gap 13 snaplen\n",
        &server(&reply[..35]),
        "< gap 14 snaplen\n",
        &client(&query(2)),
        "= transaction {\"trans_id\":1,\"query\":\"www.example.com\",\"num_answers\":1,\"answers\":null,\"malformed\":\"question 1 at byte 12: the message ends\"}\n",
        "= transaction {\"trans_id\":2,\"malformed\":null}\n",
    ]);
}

/// Names that grow when they are decompressed do not make more text than the message allows.
#[test]
fn text_is_bounded() {
    let long = [&[63; 64][..], &[63; 64], &[63; 64], &[60; 61], &[0]].concat();
    let mut reply = Message::new(1, QR | RD | RA).owned(1, &long, wire::NS, 1, 1, &[0xc0, 12]);
    for _ in 0..1000 {
        reply = reply.record(1, wire::NS, 1, &[0xc0, 12]);
    }
    let mut text = String::new();
    for part in [UDP, &server(&reply.bytes())] {
        text += part;
    }
    let script = flowcell_sdk::testing::FlowScript::parse(&text);
    let outcome = script.map(|script| script.run(&dns::PARSER, flowcell_sdk::testing::Cut::Whole));
    let records = outcome.map(|outcome| outcome.records).unwrap_or_default();
    assert_eq!(records.len(), 1);
    let record = &records[0].1;
    assert_eq!(record["truncated"], true);
    assert_eq!(record["num_answers"], 1001);
    let shown = record["answers"].as_array().map_or(0, Vec::len);
    assert!((10..300).contains(&shown), "{shown} answers are shown");
    assert!(record.to_string().len() < 12 * 14_500, "{}", record.to_string().len());
}

#[test]
fn netbios_is_another_protocol() {
    let script = "client 10.0.0.1:137 server 10.0.0.255:137 udp\n";
    check(&[script, &client(&query(1)), "! decline \"the NetBIOS name service\"\n"]);
}

/// Where DNS is not expected, a header is not enough.
#[test]
fn other_ports() {
    let script = "client 10.0.0.1:4000 server 10.0.0.2:4001 udp\n";
    check(&[script, &client(&query(1)), "= transaction {\"trans_id\":1}\n"]);
    check(&[script, &client(&[0; 16]), "! decline \"no message of DNS\"\n"]);
}
