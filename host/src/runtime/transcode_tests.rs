use super::*;

fn field(name: &str, kind: Kind) -> Field {
    Field { name: name.into(), doc: String::new(), kind, optional: false, repeated: false }
}

fn schema(fields: Vec<Field>) -> Schema {
    Schema { name: "r".into(), doc: String::new(), fields }
}

fn json(schema: &Schema, body: &[u8]) -> String {
    String::from_utf8(record(schema, body).expect("a good record").0).expect("UTF-8")
}

fn error(schema: &Schema, body: &[u8]) -> String {
    record(schema, body).expect_err("a bad record").to_string()
}

#[test]
fn each_kind_has_its_form() {
    let schema = schema(vec![
        field("boolean", Kind::Boolean),
        field("unsigned", Kind::Unsigned),
        field("signed", Kind::Signed),
        field("real", Kind::Real),
        field("text", Kind::Text),
        field("bytes", Kind::Bytes),
        field("time", Kind::Time),
        field("address", Kind::Address),
    ]);
    let body = [
        &[0x88, 0xf5][..],
        &[0x1b, 255, 255, 255, 255, 255, 255, 255, 255],
        &[0x3b, 255, 255, 255, 255, 255, 255, 255, 255],
        &[0xf9, 0x3e, 0x00],
        &[0x62, b'"', b'\n'],
        &[0x42, 0xff, 0x00],
        &[0x01],
        &[0x44, 127, 0, 0, 1],
    ]
    .concat();
    let wanted = r#"{"boolean":true,"unsigned":18446744073709551615,"signed":-18446744073709551616,"real":1.5,"text":"\"\n","bytes":"/wA=","time":"1970-01-01T00:00:00.000000001Z","address":"127.0.0.1"}"#;
    assert_eq!(json(&schema, &body), wanted);
}

#[test]
fn numbers_are_exact_at_every_length() {
    let schema = schema(vec![field("n", Kind::Signed)]);
    let mut values = vec![0, u64::MAX];
    values.extend((0..20).map(|power| 10u64.pow(power)).flat_map(|n| [n - 1, n]));
    values.extend((0..64).map(|bit| 1u64 << bit).flat_map(|n| [n - 1, n]));
    for value in values {
        let body = |first| [&[0x81, first], &value.to_be_bytes()[..]].concat();
        assert_eq!(json(&schema, &body(0x1b)), format!("{{\"n\":{value}}}"));
        let negative = -1 - i128::from(value);
        assert_eq!(json(&schema, &body(0x3b)), format!("{{\"n\":{negative}}}"));
    }
}

#[test]
fn addresses_and_reals_look_as_elsewhere() {
    let schema = schema(vec![field("a", Kind::Address), field("r", Kind::Real)]);
    for octets in [[0; 16], [255; 16], *b"\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01"] {
        for real in [0.0, -0.0, 1e300, 0.1, f64::MIN_POSITIVE, f64::NAN, f64::NEG_INFINITY] {
            let body = [&[0x82, 0x50], &octets[..], &[0xfb], &f64::to_be_bytes(real)[..]].concat();
            let data: serde_json::Value =
                serde_json::from_str(&json(&schema, &body)).expect("JSON");
            assert_eq!(data["a"], Ipv6Addr::from(octets).to_string());
            assert_eq!(data["r"].as_f64(), real.is_finite().then_some(real));
        }
    }
}

#[test]
fn the_field_that_is_wrong_is_named_from_the_outside() {
    let inner = schema(vec![field("x", Kind::Text), field("y", Kind::Text)]);
    let mut outer =
        schema(vec![field("before", Kind::Text), field("o", Kind::Object(inner.into()))]);
    outer.fields[1].repeated = true;
    let body = |last| [&b"\x82\x60\x82\x82\x60\x60\x82\x60"[..], &[last]].concat();
    assert_eq!(
        error(&outer, &body(0x05)),
        "record `r`, field `o.y`: a value of another type than the schema says at byte 9"
    );
    // Also in what is read twice.
    let stray = b"\x82\x41\xff\x81\x82\x60\x05";
    assert_eq!(
        error(&outer, stray),
        "record `r`, field `o.y`: a value of another type than the schema says at byte 7"
    );
}

#[test]
fn null_is_left_out_where_it_is_allowed() {
    let mut schema = schema(vec![field("a", Kind::Text), field("b", Kind::Unsigned)]);
    schema.fields[0].optional = true;
    assert_eq!(json(&schema, &[0x82, 0xf6, 0x05]), r#"{"b":5}"#);
    assert_eq!(
        error(&schema, &[0x82, 0xf6, 0xf6]),
        "record `r`, field `b`: null in a field that is not optional at byte 2"
    );
}

#[test]
fn lists_and_objects_nest() {
    let mut schema =
        schema(vec![field("parts", Kind::Object(schema(vec![field("n", Kind::Unsigned)]).into()))]);
    schema.fields[0].repeated = true;
    assert_eq!(json(&schema, &[0x81, 0x82, 0x81, 1, 0x81, 2]), r#"{"parts":[{"n":1},{"n":2}]}"#);
}

#[test]
fn text_that_is_not_utf8_is_escaped_and_named() {
    let schema = schema(vec![field("subject", Kind::Text)]);
    let (json, escaped) = record(&schema, &[0x81, 0x44, b'a', b'\\', 0xff, b'b']).expect("good");
    assert_eq!(json, br#"{"subject":"a\\\\\\xffb"}"#);
    assert_eq!(escaped, ["subject"]);
}

#[test]
fn all_text_of_a_field_is_escaped_alike() {
    let inner = schema(vec![field("name", Kind::Text)]);
    let mut schema =
        schema(vec![field("parts", Kind::Object(inner.into())), field("other", Kind::Text)]);
    schema.fields[0].repeated = true;
    let body = b"\x82\x82\x81\x62a\\\x81\x42b\xff\x62c\\";
    let (json, escaped) = record(&schema, body).expect("good");
    let wanted = br#"{"parts":[{"name":"a\\\\"},{"name":"b\\xff"}],"other":"c\\"}"#;
    assert_eq!(String::from_utf8_lossy(&json), String::from_utf8_lossy(wanted));
    assert_eq!(escaped, ["parts"]);
}

#[test]
fn bodies_that_lie_are_refused() {
    let schema = schema(vec![field("text", Kind::Text)]);
    for (body, wanted) in [
        (&[][..], "a length beyond the end"),
        (&[0x61], "not an array"),
        (&[0x82, 0x60, 0x60], "another number of items"),
        (&[0x81, 0x7b, 255, 255, 255, 255, 255, 255, 255, 255], "a length beyond the end"),
        (&[0x81, 0x65, b'a'], "a length beyond the end"),
        (&[0x81, 0x7f], "an indefinite length"),
        (&[0x81, 0x7c], "a reserved length"),
        (&[0x81, 0x05], "another type"),
        (&[0x81, 0x60, 0x00], "bytes behind the record"),
    ] {
        let error = error(&schema, body);
        assert!(error.contains(wanted), "{body:x?}: {error}");
    }
}

#[test]
fn no_bytes_make_it_panic() {
    let mut inner = schema(vec![field("x", Kind::Real), field("y", Kind::Address)]);
    inner.fields[0].optional = true;
    let mut outer = schema(vec![field("list", Kind::Object(inner.into())), field("t", Kind::Time)]);
    outer.fields[0].repeated = true;
    let mut state = 1u64;
    for _ in 0..20_000 {
        let mut body = vec![0x82, 0x82, 0x82];
        for _ in 0..12 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            body.push((state >> 56) as u8);
        }
        if let Ok((json, _)) = record(&outer, &body) {
            serde_json::from_slice::<serde_json::Value>(&json).expect("valid JSON");
        }
    }
}
