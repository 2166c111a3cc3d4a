use tokio::io::AsyncReadExt;

use super::*;

async fn read(stream: &mut (impl AsyncRead + Unpin), length: usize) -> String {
    let mut bytes = vec![0; length];
    stream.read_exact(&mut bytes).await.expect("read");
    String::from_utf8(bytes).expect("text")
}

#[tokio::test]
async fn only_the_first_line_of_a_request_is_escaped() {
    let sent = "GET /a?b={\"c\":<1>} HTTP/1.1\r\nETag: \"d\"\r\n\r\n";
    let escaped = "GET /a?b={%22c%22:%3C1%3E} HTTP/1.1\r\nETag: \"d\"\r\n\r\n";
    let again = [sent, sent].concat();
    let mut stream = Lenient::new(again.as_bytes());
    let beginning = stream.beginning();
    // As small as a reader may be: what does not fit is kept.
    for expected in escaped.chars() {
        assert_eq!(read(&mut stream, 1).await, expected.to_string());
    }
    assert_eq!(read(&mut stream, sent.len()).await, sent);
    beginning.expect();
    let mut stream = Lenient {
        stream: sent.as_bytes(),
        ..stream
    };
    assert_eq!(read(&mut stream, escaped.len()).await, escaped);
    let (rest, held) = stream.into_parts();
    assert!(rest.is_empty() && held.is_empty());
}
