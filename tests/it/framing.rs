//! What two servers in a row could read in two ways is refused and ends the connection; no byte of it is
//! taken for another request.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use crate::support::line::{ASK, Line, NEVER};
use crate::support::{House, Setup};

/// All that is answered to these bytes, sent at once or one by one, until the connection is closed.
async fn answers(house: &House, bytes: &str, one_by_one: bool) -> String {
    let mut line = Line::to(house).await;
    line.0.set_nodelay(true).expect("it is connected");
    if one_by_one {
        for byte in bytes.as_bytes() {
            // What comes after the end is not taken any more.
            if line.0.write_all(&[*byte]).await.is_err() {
                break;
            }
            tokio::task::yield_now().await;
        }
    } else {
        line.say(bytes).await;
    }
    line.last_words().await
}

fn count(words: &str, status: &str) -> usize {
    words.matches(&format!("HTTP/1.1 {status} ")).count()
}

const LIVE: &str = "GET /livez HTTP/1.1\r\nHost: x\r\n";
const POST: &str = "POST /webhooks/ashby HTTP/1.1\r\nHost: x\r\n";

/// Heads that are refused, each with the blank line that ends it.
fn refused_heads() -> Vec<String> {
    let lengths =
        ["+3", "-1", "0x3", "3,3", "3 3", "", "x", "18446744073709551616", "3\r\nContent-Length: 4"];
    let codings = [
        "identity",
        "gzip, chunked",
        "chunked, identity",
        "xchunked",
        "chunked;q=1",
        "",
        "chunked\r\nTransfer-Encoding: chunked",
        "chunked\r\nTransfer-Encoding: identity",
        "chunked\r\nContent-Length: 3",
    ];
    let headers = [
        "Host: y",
        "X : space before the colon",
        " X: space before the name",
        "X: folded\r\n over two lines",
        "X: folded\r\n\tover two lines",
        "X: a\0b",
        "X\0: b",
        "X: a\rb",
        "no colon",
        ": no name",
        "X: ends with a line feed\nY: z",
        "Content-Length: 3\r\nTransfer-Encoding: chunked",
        "Content-Length : 3",
        "Transfer-Encoding : chunked",
        "\u{b}Transfer-Encoding: chunked",
        "Transfer-Encoding: \u{b}chunked",
    ];
    let lines = [
        "GET /livez HTTP/1.1\r\n",
        "GET /livez HTTP/1.1\nHost: x\r\n",
        "GET /livez HTTP/1.1\r\nHost: x\n",
        "\nGET /livez HTTP/1.1\r\nHost: x\r\n",
        "GET  /livez HTTP/1.1\r\nHost: x\r\n",
        "GET /livez  HTTP/1.1\r\nHost: x\r\n",
        " GET /livez HTTP/1.1\r\nHost: x\r\n",
        "GET /li\0vez HTTP/1.1\r\nHost: x\r\n",
        "GET /livez\r\nHost: x\r\n",
        "GET /livez HTTP/1.2\r\nHost: x\r\n",
        "GET /livez HTTP/2.0\r\nHost: x\r\n",
        "GET /livez http/1.1\r\nHost: x\r\n",
        "G(T /livez HTTP/1.1\r\nHost: x\r\n",
        "POST /webhooks/ashby HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n",
        "\u{16}\u{3}\u{1}\u{2}\r\n",
    ];
    let lengths = lengths.map(|length| format!("{POST}Content-Length: {length}\r\n\r\n"));
    let codings = codings.map(|coding| format!("{POST}Transfer-Encoding: {coding}\r\n\r\n"));
    let headers = headers.map(|header| format!("{LIVE}{header}\r\n\r\n"));
    let lines = lines.map(|lines| format!("{lines}\r\n"));
    let half = [format!("{LIVE}\n"), format!("{LIVE}X: y\r\n\n")];
    [lengths.as_slice(), &codings, &headers, &lines, &half].concat()
}

#[tokio::test]
async fn a_head_that_can_be_read_in_two_ways_is_refused_and_ends_the_connection() {
    let house = House::new().await;
    for head in refused_heads() {
        for (before, after) in [("", ""), ("", ASK), (ASK, ""), (ASK, ASK)] {
            for one_by_one in [false, true] {
                let words = answers(&house, &format!("{before}{head}{after}"), one_by_one).await;
                let expected = (1, usize::from(!before.is_empty()));
                assert_eq!((count(&words, "400"), count(&words, "200")), expected, "{head:?}: {words}");
            }
        }
    }
}

#[tokio::test]
async fn a_head_too_large_is_refused_and_ends_the_connection() {
    let house = House::new().await;
    let many = "X: y\r\n".repeat(101);
    // Longer than the buffers between: it is taken to its end all the same.
    let large = format!("X: {}\r\n", "y".repeat(3_000_000));
    let target = LIVE.replace("livez", &"y".repeat(20_000));
    for head in [format!("{LIVE}{many}"), format!("{LIVE}{large}"), target] {
        let mut line = Line::saying(&house, &format!("{head}\r\n{ASK}")).await;
        let mut words = String::new();
        timeout(NEVER, line.0.read_to_string(&mut words))
            .await
            .expect("it is closed")
            .expect("and not reset");
        assert_eq!((count(&words, "431"), count(&words, "200")), (1, 0), "{words}");
    }
}

#[tokio::test]
async fn a_body_in_chunks_ends_the_connection_however_it_ends() {
    let house = House::new().await;
    let (long, many) = ("y".repeat(20_000), "x: y\r\n".repeat(4_000));
    for (chunks, status) in [
        ("4\r\nnull\r\n0\r\n\r\n".to_owned(), "401"),
        (
            "4;name=value;other=\"x\"\r\nnull\r\n0\r\nX-Trailer: y\r\nContent-Length: 3\r\n\r\n".to_owned(),
            "401",
        ),
        (format!("4;{long}\r\nnull\r\n0\r\n\r\n"), "400"),
        (format!("4\r\nnull\r\n0\r\nX: {long}\r\n\r\n"), "400"),
        (format!("4\r\nnull\r\n0\r\n{many}\r\n"), "400"),
        ("4;x\ny\r\nnull\r\n0\r\n\r\n".to_owned(), "400"),
        ("4\nnull\n0\n\n".to_owned(), "400"),
        ("4\r\nnullnull\r\n0\r\n\r\n".to_owned(), "400"),
        ("x\r\nnull\r\n0\r\n\r\n".to_owned(), "400"),
        ("-4\r\nnull\r\n0\r\n\r\n".to_owned(), "400"),
        ("0x4\r\nnull\r\n0\r\n\r\n".to_owned(), "400"),
        ("10000000000000004\r\nnull\r\n0\r\n\r\n".to_owned(), "400"),
    ] {
        for one_by_one in [false, chunks.len() < 1_000] {
            let sent = format!("{POST}Transfer-Encoding: chunked\r\n\r\n{chunks}{ASK}");
            let words = answers(&house, &sent, one_by_one).await;
            assert_eq!(
                (count(&words, status), words.matches("HTTP/1.1 ").count()),
                (1, 1),
                "{chunks}: {words}"
            );
        }
    }
}

#[tokio::test]
async fn a_request_with_a_length_ends_where_it_says() {
    let house = House::new().await;
    let hidden = ASK.len();
    for (head, status) in [
        (format!("{POST}Content-Length: {hidden}\r\n\r\n"), "401"),
        (format!("{POST}Content-Length: 00{hidden} \r\nContent-Length:\t{hidden}\r\n\r\n"), "401"),
        (format!("{LIVE}Content-Length: {hidden}\r\n\r\n"), "200"),
        (
            format!(
                "{LIVE}Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\nContent-Length: {hidden}\r\n\r\n"
            ),
            "200",
        ),
        (format!("CONNECT x:80 HTTP/1.1\r\nHost: x:80\r\nContent-Length: {hidden}\r\n\r\n"), "404"),
        (format!("OPTIONS * HTTP/1.1\r\nHost: x\r\nContent-Length: {hidden}\r\n\r\n"), "404"),
        (
            format!("GET http://elsewhere/nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: {hidden}\r\n\r\n"),
            "404",
        ),
    ] {
        for one_by_one in [false, true] {
            // The body looks like a request, and is none.
            let last = ASK.replace("livez", "nowhere").replace("Host", "Connection: close\r\nHost");
            let words = answers(&house, &format!("{head}{ASK}{last}"), one_by_one).await;
            let counted = words.matches("HTTP/1.1 ").count();
            assert_eq!(count(&words, "200"), usize::from(status == "200"), "{head}: {words}");
            assert!(
                (1..=2).contains(&counted) && words.starts_with(&format!("HTTP/1.1 {status} ")),
                "{head}: {words}"
            );
        }
    }
}

#[tokio::test]
async fn a_body_that_was_not_asked_for_is_not_taken_for_a_request() {
    let house = House::with(Setup { server: "body_limit = \"10B\"".into(), ..Setup::default() }).await;
    for expect in ["", "Expect: 100-continue\r\n", "Expect: 100-Continue\r\nExpect: 100-continue\r\n"] {
        let words =
            answers(&house, &format!("{POST}{expect}Content-Length: 41\r\n\r\n{ASK}{ASK}"), false).await;
        assert_eq!((count(&words, "413"), words.matches("HTTP/1.1 ").count()), (1, 1), "{words}");
    }
}

#[tokio::test]
async fn http_1_0_is_answered_and_keeps_the_connection_only_if_asked() {
    let house = House::new().await;
    let plain = "GET /livez HTTP/1.0\r\n\r\n";
    let words = answers(&house, &format!("{plain}{plain}"), false).await;
    assert_eq!(words.matches("HTTP/1.0 200 ").count(), 1, "{words}");
    let kept = "GET /livez HTTP/1.0\r\nConnection: keep-alive\r\n\r\n";
    let words = answers(&house, &format!("{kept}{plain}"), false).await;
    assert_eq!(words.matches("HTTP/1.0 200 ").count(), 2, "{words}");
}

#[tokio::test]
async fn http_2_is_not_spoken() {
    let house = House::new().await;
    let words =
        answers(&house, &format!("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\u{4}\0\0\0\0\0{ASK}"), false).await;
    assert_eq!(words, "");
}
