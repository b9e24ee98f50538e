use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use reqwest::Method;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;
use crate::clock::Clock;
use crate::outbound::{Client, Failure, Request, Reuse};

fn allowing(allow: &[&str]) -> Guard {
    let allow = allow.iter().map(|&host| host.to_owned()).collect();
    Settings { allow, proxy: None }.guard().expect("hosts")
}

fn check(guard: &Guard, url: &str) -> Result<(), Forbidden> {
    guard.check(&Url::parse(url).unwrap_or_else(|error| panic!("{url}: {error}")))
}

#[test]
fn no_spelling_of_a_private_address_gets_through() {
    for url in [
        "https://127.0.0.1/",
        "https://127.0.0.1./",
        "https://127.1/",
        "https://127.0.1/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0x7f.0.0.1/",
        "https://0X7F.1/",
        "https://0177.0.0.1/",
        "https://017700000001/",
        "https://0000177.1/",
        "https://127.0.0.0x1:8443/",
        "https://127。0。0。1/",
        "https://１２７.0.0.1/",
        "https://①②⑦.0.0.1/",
        "https://%31%32%37.0.0.1/",
        "https:\\\\10.0.0.1\\",
        "https:10.0.0.1",
        "https://0/",
        "https://0.0.0.0/",
        "https://10.1.2.3/",
        "https://100.64.0.1/",
        "https://100.127.255.255/",
        "https://169.254.169.254/latest/meta-data",
        "https://2852039166/",
        "https://168.63.129.16/",
        "https://172.16.0.1/",
        "https://172.31.255.255/",
        "https://192.168.1.1/",
        "https://192.0.0.1/",
        "https://192.0.2.1/",
        "https://198.18.0.1/",
        "https://198.51.100.1/",
        "https://203.0.113.1/",
        "https://224.0.0.1/",
        "https://240.0.0.1/",
        "https://255.255.255.255/",
        "https://[::]/",
        "https://[::1]/",
        "https://[0:0:0:0:0:0:0:1]/",
        "https://[::127.0.0.1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[::ffff:7f00:1]/",
        "https://[0:0:0:0:0:ffff:a00:1]/",
        "https://[64:ff9b::10.0.0.1]/",
        "https://[64:ff9b:1::1]/",
        "https://[2002:7f00:1::]/",
        "https://[2001:0:4136:e378:8000:63bf:3fff:fdd2]/",
        "https://[2001:db8::1]/",
        "https://[3fff::1]/",
        "https://[100::1]/",
        "https://[fc00::1]/",
        "https://[fd12:3456::1]/",
        "https://[fe80::1]/",
        "https://[fec0::1]/",
        "https://[ff02::1]/",
        "https://[5f00::1]/",
        "https://localhost/",
        "https://LOCALHOST/",
        "https://localhost./",
        "https://ｌｏｃａｌｈｏｓｔ/",
    ] {
        assert_eq!(check(&Guard::default(), url), Err(Forbidden::Address), "{url}");
    }
    // An address with a zone is no URL at all.
    assert!(
        Url::parse("https://[fe80::1%25eth0]/").is_err() && Url::parse("https://[fe80::1%eth0]/").is_err()
    );
}

#[test]
fn the_internet_at_large_is_reached() {
    for url in [
        "https://api.personio.de/v1/auth",
        "https://api.personio.de:8443/",
        "https://xn--bcher-kva.example/",
        "https://8.8.8.8/",
        "https://100.63.255.255/",
        "https://100.128.0.1/",
        "https://172.15.0.1/",
        "https://172.32.0.1/",
        "https://192.167.1.1/",
        "https://[2606:4700::1111]/",
        "https://[::ffff:8.8.8.8]/",
        "https://[64:ff9b::8.8.8.8]/",
    ] {
        assert_eq!(check(&Guard::default(), url), Ok(()), "{url}");
    }
}

#[test]
fn only_https_without_a_credential_is_spoken() {
    let guard = Guard::default();
    for url in ["http://api.personio.de/", "ftp://api.personio.de/", "file:///etc/passwd", "data:,hello"] {
        assert_eq!(check(&guard, url), Err(Forbidden::Scheme), "{url}");
    }
    for url in ["https://api.personio.de@10.0.0.1/", "https://u:p@api.personio.de/", "https://u@8.8.8.8/"] {
        assert_eq!(check(&guard, url), Err(Forbidden::Credential), "{url}");
    }
}

#[test]
fn what_the_configuration_names_is_reached_there_and_nowhere_else() {
    let guard = allowing(&[
        "127.0.0.1",
        "10.0.0.7:8443",
        "::1",
        "[fd00::7]:443",
        "files.internal:8443",
        "ats.internal",
    ]);
    for (url, reached) in [
        ("http://127.0.0.1:1/", true),
        ("https://2130706433:9/", true),
        ("http://127.0.0.2/", false),
        ("http://localhost/", false),
        ("https://10.0.0.7:8443/", true),
        ("https://10.0.0.7/", false),
        ("https://10.0.0.8:8443/", false),
        ("http://10.0.0.7:8443/", false),
        ("http://[::1]:7/", true),
        ("https://[fd00::7]/", true),
        ("https://[fd00::7]:8443/", false),
        ("https://files.internal:8443/", true),
        ("https://FILES.internal.:8443/", true),
        ("https://files.internal/", false),
        ("https://ats.internal:1234/", true),
        ("http://ats.internal/", false),
    ] {
        assert_eq!(check(&guard, url).is_ok(), reached, "{url}");
    }
}

#[test]
fn a_setting_that_names_no_host_is_told() {
    for wrong in
        ["", "https://files.internal", "files internal", "10.0.0.0/8", "*", "a@b", "host:99999", "[::1"]
    {
        let settings = Settings { allow: vec!["127.0.0.1".into(), wrong.into()], proxy: None };
        let told = settings.guard().expect_err(wrong);
        assert_eq!(told.key, "outbound.allow[1]", "{wrong}");
    }
    for wrong in ["socks5://p:1", "http://u:p@proxy:3128", "http://proxy/path"] {
        let settings = Settings { allow: Vec::new(), proxy: Some(wrong.parse().expect("a URL")) };
        assert_eq!(settings.guard().expect_err(wrong).key, "outbound.proxy");
    }
}

/// Names resolve to what the script says, one answer after the other; the last one stays.
struct Script {
    answers: Mutex<Vec<Vec<IpAddr>>>,
    asked: AtomicUsize,
}

impl Script {
    fn new(answers: &[&[IpAddr]]) -> Arc<Self> {
        let answers = answers.iter().rev().map(|answer| answer.to_vec()).collect();
        Arc::new(Self { answers: Mutex::new(answers), asked: AtomicUsize::new(0) })
    }
}

impl Resolve for Script {
    fn resolve(&self, _: Name) -> Resolving {
        self.asked.fetch_add(1, SeqCst);
        let mut answers = self.answers.lock().expect("no test panicked");
        let answer = if answers.len() > 1 { answers.pop() } else { answers.last().cloned() };
        let answer = answer.unwrap_or_default().into_iter().map(|ip| SocketAddr::new(ip, 0));
        let answer: Vec<_> = answer.collect();
        Box::pin(async move { Ok(Box::new(answer.into_iter()) as Addrs) })
    }
}

const PUBLIC: IpAddr = IpAddr::V4(Ipv4Addr::new(8, 8, 8, 8));
const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

async fn resolved(guard: &Guard, name: &str) -> Result<Vec<IpAddr>, bool> {
    let name: Name = name.parse().expect("a name");
    match Resolver::new(guard.clone()).resolve(name).await {
        Ok(found) => Ok(found.map(|address| address.ip()).collect()),
        Err(error) => Err(error.is::<Forbidden>()),
    }
}

#[tokio::test]
async fn a_name_is_worth_only_its_public_addresses() {
    let mapped: IpAddr = Ipv4Addr::new(10, 0, 0, 1).to_ipv6_mapped().into();
    let private = [HERE, mapped, Ipv6Addr::LOCALHOST.into(), Ipv4Addr::new(169, 254, 169, 254).into()];
    let mixed: Vec<_> = private.iter().copied().chain([PUBLIC]).collect();
    let guard = |answer: &[IpAddr]| Guard::default().resolving_by(Script::new(&[answer]));
    assert_eq!(resolved(&guard(&private), "evil.example").await, Err(true));
    assert_eq!(resolved(&guard(&mixed), "evil.example").await, Ok(vec![PUBLIC]));
    assert_eq!(resolved(&guard(&[]), "nobody.example").await, Ok(vec![]));
    let named = allowing(&["files.internal:8443", "127.0.0.1"]).resolving_by(Script::new(&[&[HERE]]));
    assert_eq!(resolved(&named, "files.internal").await, Ok(vec![HERE]));
    assert_eq!(resolved(&named, "evil.example").await, Err(true), "the address alone is not the name");
}

fn client(guard: &Guard) -> Client {
    Client::new(Reuse::Never, Duration::from_secs(2), guard, Clock::system()).expect("root certificates")
}

/// A server that counts who connects and answers 200.
async fn server() -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let port = listener.local_addr().expect("bound").port();
    let visits = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&visits);
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            count.fetch_add(1, SeqCst);
            let read = socket.read(&mut [0; 4096]).await;
            assert!(read.is_ok());
            // The client may have gone.
            drop(socket.write_all(b"HTTP/1.1 200 X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").await);
        }
    });
    (port, visits)
}

async fn get(guard: &Guard, url: &str) -> Result<u16, Failure> {
    let request = Request::new(Method::GET, url.parse().expect("a URL"));
    client(guard).send(request, Duration::from_secs(5)).await.map(|answer| answer.status)
}

#[tokio::test]
async fn nothing_is_sent_to_a_forbidden_place() {
    let (port, visits) = server().await;
    for host in ["127.0.0.1", "2130706433", "localhost", "[::ffff:127.0.0.1]"] {
        for scheme in ["http", "https"] {
            let answer = get(&Guard::default(), &format!("{scheme}://{host}:{port}/")).await;
            assert_eq!(answer, Err(Failure::NotSent("forbidden")), "{scheme} {host}");
        }
    }
    // Even if a name is resolved to it, at first or later.
    let rebinding = Guard::default().resolving_by(Script::new(&[&[HERE]]));
    let answer = get(&rebinding, &format!("https://rebind.example:{port}/")).await;
    assert_eq!(answer, Err(Failure::NotSent("forbidden")));
    assert_eq!(visits.load(SeqCst), 0);

    assert_eq!(get(&allowing(&["127.0.0.1"]), &format!("http://127.0.0.1:{port}/")).await, Ok(200));
    assert_eq!(visits.load(SeqCst), 1);
}

#[tokio::test]
async fn what_is_connected_to_is_what_was_looked_at() {
    // Public when it is looked up first, this machine when the connection looks it up.
    let (port, visits) = server().await;
    let names = Script::new(&[&[PUBLIC], &[HERE]]);
    let guard = Guard::default().resolving_by(Arc::clone(&names) as Arc<dyn Resolve>);
    assert_eq!(resolved(&guard, "rebind.example").await, Ok(vec![PUBLIC]));
    let answer = get(&guard, &format!("https://rebind.example:{port}/")).await;
    assert_eq!(answer, Err(Failure::NotSent("forbidden")));
    assert_eq!((names.asked.load(SeqCst), visits.load(SeqCst)), (2, 0), "one look-up for one connection");
}

#[test]
fn somebody_else_who_answers_is_noticed() {
    let guard = allowing(&["files.internal"]);
    let peer = |url: &str, peer: Option<&str>| {
        let peer = peer.map(|peer| peer.parse().expect("an address"));
        guard.admits_peer(&url.parse().expect("a URL"), peer)
    };
    assert!(peer("https://api.example/", Some("8.8.8.8:443")));
    assert!(peer("https://8.8.8.8/", Some("8.8.8.8:443")));
    assert!(peer("https://8.8.8.8/", Some("[::ffff:8.8.8.8]:443")));
    assert!(peer("https://files.internal/", Some("10.0.0.7:443")));
    assert!(!peer("https://api.example/", Some("10.0.0.7:443")));
    assert!(!peer("https://api.example/", Some("[::1]:443")));
    assert!(!peer("https://8.8.8.8/", Some("8.8.4.4:443")));
    assert!(!peer("https://api.example/", None));
}

#[tokio::test]
async fn a_proxy_is_used_only_if_the_configuration_names_it() {
    let (port, visits) = server().await;
    let proxy = Some(format!("http://127.0.0.1:{port}").parse().expect("a URL"));
    let guard = Settings { allow: vec!["127.0.0.1".into()], proxy }.guard().expect("a proxy");
    // It does not speak CONNECT as a proxy should: it is enough that it was asked.
    assert!(get(&guard, "https://api.example/").await.is_err());
    assert_eq!(visits.load(SeqCst), 1);
    let forbidden = get(&guard, "https://10.0.0.7/").await;
    assert_eq!((forbidden, visits.load(SeqCst)), (Err(Failure::NotSent("forbidden")), 1));
}
