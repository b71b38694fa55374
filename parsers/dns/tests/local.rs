//! Multicast DNS and LLMNR.

mod wire;

use wire::{A, AA, Message, PTR, QR, check, client, name, server};

const MDNS: &str = "client 10.0.2.7:5353 server 224.0.0.251:5353 udp\n";

/// Questions and answers of all hosts go to the group: none answers another within a flow.
#[test]
fn a_group() {
    let ask = Message::new(0, 0).question("_ipp._tcp.local", PTR, 0x8001);
    let ask = ask.question("_ipps._tcp.local", PTR, 1);
    let tell = Message::new(0, QR | AA)
        .owned(1, &name("_ipp._tcp.local"), PTR, 0x8001, 4500, b"\x09My \"Print\xc0\x0c")
        .owned(3, &name("a.local"), A, 0x8001, 120, &[10, 0, 2, 7]);
    check(&[
        MDNS,
        &client(&ask.bytes()),
        &client(&tell.bytes()),
        r#"= transaction {"query":"_ipp._tcp.local","qclass":1,"qclass_name":"C_INTERNET","unicast_reply":true,"#,
        r#""more_queries":["_ipps._tcp.local IN PTR"],"num_queries":2,"rcode":null}"#,
        "\n",
        r#"= transaction {"query":null,"rcode":0,"aa":true,"answers":["My\\032\\\"Print._ipp._tcp.local"],"#,
        r#""answer_names":["_ipp._tcp.local"],"answer_types":["PTR"],"ttls":[4500],"#,
        r#""addl":["a.local 120 IN A 10.0.2.7"],"rejected":false}"#,
        "\n",
    ]);
}

/// Asked by unicast, a host answers by unicast, and need not repeat the question.
#[test]
fn two_hosts() {
    let ask = Message::new(0, 0).question("a.local", A, 1).bytes();
    let tell = Message::new(0, QR | AA).owned(1, &name("a.local"), A, 0x8001, 120, &[10, 0, 2, 7]);
    check(&[
        "client 10.0.2.8:4000 server 10.0.2.7:5353 udp\n",
        &client(&ask),
        &server(&tell.bytes()),
        "= transaction {\"query\":\"a.local\",\"unicast_reply\":false,\"answers\":[\"10.0.2.7\"],\"query_len\":25}\n",
    ]);
}

#[test]
fn link_local_names() {
    let ask = Message::new(9, 0).question("printer", A, 1).bytes();
    check(&[
        "client 10.0.2.8:4000 server 224.0.0.252:5355 udp\n",
        &client(&ask),
        &client(&ask),
        "= transaction {\"query\":\"printer\",\"unicast_reply\":null,\"retries\":0}\n",
        "= transaction {\"query\":\"printer\",\"retries\":0}\n",
    ]);
}
