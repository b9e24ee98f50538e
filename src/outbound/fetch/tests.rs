use std::sync::{Arc, Mutex};

use jiff::SignedDuration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use super::super::guard::Settings;
use super::*;

const LIMIT: u64 = 1 << 20;

/// A host that writes what the test gives it, after each request; and what it was asked.
struct Host {
    port: u16,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Host {
    async fn says(answers: Vec<String>) -> Self {
        Self::open(move |n, mut socket| {
            let answer = answers[n.min(answers.len() - 1)].clone();
            async move { drop(socket.write_all(answer.as_bytes()).await) }
        })
        .await
    }

    async fn open<F>(serve: impl Fn(usize, TcpStream) -> F + Send + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&asked);
        tokio::spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                let mut head = [0; 8192];
                let read = socket.read(&mut head).await.expect("a request");
                let before = {
                    let mut log = log.lock().expect("no test panicked");
                    log.push(String::from_utf8_lossy(&head[..read]).to_lowercase());
                    log.len() - 1
                };
                tokio::spawn(serve(before, socket));
            }
        });
        Self { port, asked }
    }

    fn link(&self) -> Link {
        let url = format!("http://127.0.0.1:{}/cv.pdf?signature=secret", self.port);
        Link { url: url.parse().expect("a URL"), headers: HeaderMap::new(), hosts: Vec::new() }
    }
}

fn clock() -> Clock {
    Clock::manual(Timestamp::UNIX_EPOCH)
}

fn fetch(clock: &Clock) -> Fetch {
    let guard = Settings { allow: vec!["127.0.0.1".into()], proxy: None }.guard().expect("a host");
    Fetch::new(&guard, clock).expect("root certificates")
}

fn in_an_hour(clock: &Clock) -> Timestamp {
    clock.now() + SignedDuration::from_hours(1)
}

async fn read(fetch: &Fetch, link: &Link, limit: u64) -> Result<Vec<u8>, FetchError> {
    let mut incoming = fetch.open(link, limit, in_an_hour(&fetch.clock)).await?;
    let mut all = Vec::new();
    while let Some(piece) = incoming.next().await? {
        all.extend_from_slice(&piece);
    }
    Ok(all)
}

async fn fetched(answer: &str) -> Result<Vec<u8>, FetchError> {
    let host = Host::says(vec![answer.to_owned()]).await;
    read(&fetch(&clock()), &host.link(), LIMIT).await
}

#[tokio::test]
async fn a_file_arrives_with_its_declared_type_and_length() {
    let host = Host::says(vec![
        "HTTP/1.1 200 X\r\nContent-Type: application/pdf\r\nContent-Length: 5\r\n\r\n%PDF-".into(),
    ])
    .await;
    let clock = clock();
    let mut incoming = fetch(&clock).open(&host.link(), LIMIT, in_an_hour(&clock)).await.expect("a file");
    assert_eq!((incoming.declared_type(), incoming.length()), (Some("application/pdf"), Some(5)));
    assert_eq!(incoming.next().await, Ok(Some(Bytes::from_static(b"%PDF-"))));
    assert_eq!(incoming.next().await, Ok(None));
    let asked = host.asked.lock().expect("no test panicked")[0].clone();
    assert!(asked.contains("accept-encoding: identity"), "{asked}");
}

#[tokio::test]
async fn a_dead_link_is_told_from_a_host_in_trouble() {
    for status in [204, 206, 304, 400, 401, 403, 404, 410] {
        let dead = fetched(&format!("HTTP/1.1 {status} X\r\nContent-Length: 0\r\n\r\n")).await;
        assert_eq!(dead, Err(FetchError::Dead(status)));
    }
    for (status, code) in [(408, "timeout"), (429, "throttled"), (500, "server_error"), (503, "server_error")]
    {
        let failed = fetched(&format!("HTTP/1.1 {status} X\r\nContent-Length: 0\r\n\r\n")).await;
        assert_eq!(failed, Err(FetchError::BrokenOff(code)));
        assert!(failed.is_err_and(FetchError::may_pass));
    }
    assert_eq!(
        fetched("HTTP/1.1 200 X\r\nContent-Length: 9\r\n\r\nhalf").await,
        Err(FetchError::BrokenOff("cut"))
    );
    let coded = "HTTP/1.1 200 X\r\nContent-Encoding: gzip\r\nContent-Length: 1\r\n\r\nx";
    assert_eq!(fetched(coded).await, Err(FetchError::Dead(200)));
}

#[tokio::test]
async fn a_file_that_is_too_large_is_cut_off_whether_it_says_so_or_not() {
    let announced = fetched("HTTP/1.1 200 X\r\nContent-Length: 1048577\r\n\r\n").await;
    assert_eq!(announced, Err(FetchError::TooLarge));
    let endless = Host::open(|_, mut socket| async move {
        let mut gone = socket.write_all(b"HTTP/1.1 200 X\r\n\r\n").await.is_err();
        while !gone {
            gone = socket.write_all(&[b'x'; 8192]).await.is_err();
        }
    })
    .await;
    assert_eq!(read(&fetch(&clock()), &endless.link(), LIMIT).await, Err(FetchError::TooLarge));
    let fits =
        Host::says(vec![format!("HTTP/1.1 200 X\r\nContent-Length: 9\r\n\r\n{}", "x".repeat(9))]).await;
    assert_eq!(read(&fetch(&clock()), &fits.link(), 9).await.map(|all| all.len()), Ok(9));
}

#[tokio::test]
async fn a_stream_that_drips_is_cut_off() {
    let (drops, mut drip) = mpsc::channel::<usize>(1);
    let socket_of_the_test = Arc::new(tokio::sync::Mutex::new(None));
    let keep = Arc::clone(&socket_of_the_test);
    let host = Host::open(move |_, mut socket| {
        let keep = Arc::clone(&keep);
        async move {
            socket.write_all(b"HTTP/1.1 200 X\r\n\r\nx").await.expect("somebody reads");
            *keep.lock().await = Some(socket);
        }
    })
    .await;
    let clock = clock();
    let mut incoming = fetch(&clock).open(&host.link(), LIMIT, in_an_hour(&clock)).await.expect("it begins");
    assert_eq!(incoming.next().await, Ok(Some(Bytes::from_static(b"x"))));
    let reader = tokio::spawn(async move {
        let mut pieces = 0;
        loop {
            match incoming.next().await {
                Ok(Some(_)) => {
                    pieces += 1;
                    drops.send(pieces).await.expect("the test listens");
                }
                end => return (pieces, end.map(|_| ())),
            }
        }
    });
    // A drop, and six seconds: twice that is more than a stretch.
    for _ in 0..2 {
        let mut socket = socket_of_the_test.lock().await;
        socket.as_mut().expect("it began").write_all(b"x").await.expect("somebody reads");
        drip.recv().await.expect("a piece");
        drop(socket);
        waits().await;
        clock.advance(SignedDuration::from_secs(6));
    }
    waits().await;
    // Whoever still reads comes to an end.
    *socket_of_the_test.lock().await = None;
    assert_eq!(reader.await.expect("the reader ends"), (2, Err(FetchError::BrokenOff("too_slow"))));
}

/// Lets the other tasks of this thread come to rest.
async fn waits() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn what_does_not_begin_or_does_not_end_in_time_is_given_up() {
    let silent = Host::open(|_, socket| async move {
        std::future::pending::<()>().await;
        drop(socket);
    })
    .await;
    let clock = clock();
    let (fetch, link) = (fetch(&clock), silent.link());
    let deadline = in_an_hour(&clock);
    let opening = tokio::spawn(async move { fetch.open(&link, LIMIT, deadline).await.map(|_| ()) });
    waits().await;
    clock.advance(SignedDuration::from_secs(20));
    assert_eq!(opening.await.expect("it ends"), Err(FetchError::BrokenOff("timeout")));
}

#[tokio::test]
async fn a_link_leads_to_the_hosts_that_it_may_and_nowhere_else() {
    let clock = clock();
    let guard = Guard::default();
    let fetch = Fetch::new(&guard, &clock).expect("root certificates");
    let link = |url: &str, hosts: &[&str]| Link {
        url: url.parse().expect("a URL"),
        headers: HeaderMap::new(),
        hosts: hosts.iter().map(|&host| host.to_owned()).collect(),
    };
    for (url, hosts, why) in [
        ("https://evil.example/cv", &["files.example"][..], Forbidden::Host),
        ("https://files.example.evil.example/cv", &["files.example"], Forbidden::Host),
        ("https://evilfiles.example/cv", &["*.files.example"], Forbidden::Host),
        ("https://files.example/cv", &["*.files.example"], Forbidden::Host),
        ("https://8.8.8.8/cv", &["8.8.8.8"], Forbidden::Host),
        ("https://files.example/cv", &[], Forbidden::Host),
        ("http://files.example/cv", &["files.example"], Forbidden::Scheme),
        ("https://files.example@10.0.0.1/cv", &["files.example"], Forbidden::Credential),
        ("https://169.254.169.254/cv", &["*"], Forbidden::Address),
    ] {
        let opened = fetch.open(&link(url, hosts), LIMIT, in_an_hour(&clock)).await.map(|_| ());
        assert_eq!(opened, Err(FetchError::Forbidden(why)), "{url}");
    }
    assert!(
        is_within("a.b.files.example", "*.files.example") && is_within("files.example.", "files.example")
    );
    assert!(!is_within("anything.example", "*"));
}

#[tokio::test]
async fn a_redirect_is_followed_only_to_an_allowed_host_and_without_the_key() {
    let storage = Host::says(vec!["HTTP/1.1 200 X\r\nContent-Length: 2\r\n\r\nok".into()]).await;
    let to = |url: String| format!("HTTP/1.1 302 X\r\nLocation: {url}\r\nContent-Length: 0\r\n\r\n");
    let ats =
        Host::says(vec![to("/moved".into()), to(format!("http://127.0.0.1:{}/bucket", storage.port))]).await;
    let mut link = ats.link();
    link.headers.insert("authorization", HeaderValue::from_static("Basic the-key"));
    assert_eq!(read(&fetch(&clock()), &link, LIMIT).await, Ok(b"ok".to_vec()));
    let keyed = |host: &Host| {
        let asked = host.asked.lock().expect("no test panicked");
        asked.iter().map(|asked| asked.contains("the-key")).collect::<Vec<_>>()
    };
    assert_eq!((keyed(&ats), keyed(&storage)), (vec![true, true], vec![false]));

    for (elsewhere, why) in [
        ("https://evil.example/", Forbidden::Host),
        ("https://10.0.0.1/", Forbidden::Address),
        ("http://localhost/", Forbidden::Address),
        ("http://8.8.8.8/", Forbidden::Scheme),
        ("file:///etc/passwd", Forbidden::Scheme),
        ("//127.1.1.1/", Forbidden::Address),
    ] {
        let moved = fetched(&to(elsewhere.into())).await;
        assert_eq!(moved, Err(FetchError::Forbidden(why)), "{elsewhere}");
    }
    assert_eq!(fetched(&to("/round".into())).await, Err(FetchError::Forbidden(Forbidden::Host)));
    assert_eq!(fetched("HTTP/1.1 302 X\r\nContent-Length: 0\r\n\r\n").await, Err(FetchError::Dead(302)));
}

#[test]
fn a_link_is_not_shown() {
    let url = "https://files.example/cv?signature=secret".parse().expect("a URL");
    assert_eq!(format!("{:?}", Link { url, headers: HeaderMap::new(), hosts: Vec::new() }), "Link");
}
