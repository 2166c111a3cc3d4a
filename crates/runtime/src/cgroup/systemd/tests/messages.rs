//! Messages as bytes, and bytes that are none.

use super::super::decode;
use super::super::message::{Kind, MAXIMUM_LENGTH, Message, PREFIX};
use super::super::value::Value;

fn call() -> Message {
    let mut message = Message::new(Kind::Call);
    message.serial = 7;
    message.path = "/a".to_owned();
    message.member = "M".to_owned();
    message.body = vec![
        Value::string("x"),
        Value::Array(
            "(sv)".to_owned(),
            vec![Value::Struct(vec![
                Value::string("k"),
                Value::Variant(Box::new(Value::Uint64(5))),
            ])],
        ),
    ];
    message
}

#[test]
fn a_message_has_the_bytes_of_the_specification() {
    let expected: Vec<u8> = [
        b"l\x01\x00\x01".as_slice(),
        // Lengths of the body, serial, and of the fields.
        &[40, 0, 0, 0],
        &[7, 0, 0, 0],
        &[44, 0, 0, 0],
        b"\x01\x01o\x00\x02\x00\x00\x00/a\x00\x00\x00\x00\x00\x00",
        b"\x03\x01s\x00\x01\x00\x00\x00M\x00\x00\x00\x00\x00\x00\x00",
        b"\x08\x01g\x00\x06sa(sv)\x00",
        // To a multiple of eight.
        &[0; 4],
        b"\x01\x00\x00\x00x\x00\x00\x00",
        // The array's length leaves out its padding.
        &[24, 0, 0, 0, 0, 0, 0, 0],
        b"\x01\x00\x00\x00k\x00\x01t\x00",
    ]
    .concat();
    let bytes = call().encode();
    assert_eq!(bytes[..expected.len()], expected);
    let prefix = bytes[..PREFIX].try_into().expect("long enough");
    assert_eq!(Message::length(prefix), Some(bytes.len()));
    assert_eq!(Message::decode(&bytes), Ok(Some(call())));
}

#[test]
fn values_of_every_type_come_back() {
    let mut message = Message::new(Kind::Signal);
    message.serial = 1;
    message.body = vec![
        Value::Byte(1),
        Value::Bool(true),
        Value::Int16(-2),
        Value::Uint16(3),
        Value::Int32(-4),
        Value::Uint32(5),
        Value::Int64(-6),
        Value::Uint64(u64::MAX),
        Value::Double(1.5),
        Value::string("text"),
        Value::Path("/p".to_owned()),
        Value::Signature("a{sv}".to_owned()),
        Value::strings(&["a", "b"]),
        Value::bytes(&[1, 2]),
        Value::Array("t".to_owned(), Vec::new()),
        Value::Array(
            "{yx}".to_owned(),
            vec![Value::Entry(Box::new((Value::Byte(1), Value::Int64(2))))],
        ),
        Value::Variant(Box::new(Value::strings(&[]))),
    ];
    let bytes = message.encode();
    assert_eq!(Message::decode(&bytes), Ok(Some(message)));
}

#[test]
fn the_other_byte_order_is_read() {
    let body = [0, 0, 0, 1, b'x', 0, 0, 0, 0, 0, 0, 9];
    assert_eq!(
        decode::values("su", &body, false),
        Some(vec![Value::string("x"), Value::Uint32(9)])
    );
}

#[test]
fn bytes_that_are_no_values_are_refused() {
    for (signature, body) in [
        // Longer than what is there.
        ("s", [255, 255, 255, 127, b'x', 0].as_slice()),
        ("au", &[8, 0, 0, 0, 1, 0, 0, 0]),
        ("u", &[1, 0]),
        // An array that ends inside an element.
        ("au", &[6, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0]),
        // No zero at the end, no UTF-8, no truth value.
        ("s", &[1, 0, 0, 0, b'x', 1]),
        ("s", &[1, 0, 0, 0, 0xff, 0]),
        ("b", &[2, 0, 0, 0]),
        // Variants of nothing, of two, and of no type.
        ("v", &[0, 0]),
        ("v", &[2, b'y', b'y', 0, 1, 1]),
        ("v", &[1, b'?', 0, 1]),
        // Signatures that are none; an empty structure has no length.
        ("(", &[0; 8]),
        ("a", &[0; 8]),
        ("a()", &[8, 0, 0, 0, 0, 0, 0, 0]),
        ("{s", &[0; 8]),
    ] {
        assert_eq!(
            decode::values(signature, body, true),
            None,
            "{signature} {body:?}"
        );
    }
    let deep = "a".repeat(200) + "y";
    assert_eq!(decode::values(&deep, &[0; 1000], true), None);
    // A variant of a variant, without end.
    let variants = [1, b'v', 0].repeat(1000);
    assert_eq!(decode::values("v", &variants, true), None);
}

#[test]
fn a_message_cut_or_changed_anywhere_does_no_harm() {
    let bytes = call().encode();
    for length in 0..bytes.len() {
        let _ = Message::decode(&bytes[..length]);
    }
    for place in 0..bytes.len() {
        for value in [0, 1, 0x7f, 0x80, 0xff] {
            let mut changed = bytes.clone();
            changed[place] = value;
            let _ = Message::decode(&changed);
            let _ = Message::length(changed[..PREFIX].try_into().expect("long enough"));
        }
    }
}

#[test]
fn a_message_that_is_too_long_is_not_read() {
    let prefix = |first: u8, body: u32, fields: u32| {
        let mut prefix = [0; PREFIX];
        prefix[0] = first;
        prefix[3] = 1;
        prefix[4..8].copy_from_slice(&body.to_le_bytes());
        prefix[12..16].copy_from_slice(&fields.to_le_bytes());
        Message::length(&prefix)
    };
    assert_eq!(prefix(b'l', 3, 5), Some(PREFIX + 8 + 3));
    assert_eq!(prefix(b'l', u32::MAX, u32::MAX), None);
    let most = u32::try_from(MAXIMUM_LENGTH).expect("small");
    assert_eq!(prefix(b'l', most, 0), None);
    assert_eq!(prefix(b'x', 0, 0), None);
}
