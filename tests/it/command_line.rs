//! The command line, as somebody at a terminal meets it.

use std::fs;
use std::io::{BufRead, BufReader, Write, pipe};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use hirebridge::config::Config;
use hirebridge::ledger::LedgerKey;
use hirebridge::sim::{Options, Sim};
use serde_json::Value;
use tempfile::TempDir;

use crate::support::ashby::hire;
use crate::support::process::{Served, eventually, hirebridge, run, text};
use crate::support::{SECRET, Setup, configuration};

pub(crate) fn folder() -> TempDir {
    TempDir::new().expect("a folder can be made")
}

/// Writes a configuration that works, after `change`.
pub(crate) fn write_config(folder: &Path, personio: &str, change: impl FnOnce(String) -> String) -> PathBuf {
    let path = folder.join("hirebridge.toml");
    fs::write(&path, change(configuration(personio, folder, &Setup::default()))).expect("writable");
    path
}

/// What it wrote, if it ended with this exit code.
pub(crate) fn said(folder: &Path, args: &[&str], code: i32) -> String {
    let output = run(folder, args);
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{args:?}\n{out}\n{err}");
    assert!(!err.contains("panicked") && !err.contains("internal error"), "{err}");
    out + &err
}

#[test]
fn every_subcommand_has_an_example_in_its_help() {
    let folder = folder();
    let help = said(folder.path(), &["--help"], 0);
    let (_, commands) = help.split_once("Commands:\n").expect("a list of commands");
    let names = commands.lines().take_while(|line| !line.is_empty());
    let names: Vec<_> = names.filter_map(|line| line.split_whitespace().next()).collect();
    assert!(names.len() >= 9, "{names:?}");
    for name in names.into_iter().filter(|name| *name != "help") {
        let help = said(folder.path(), &[name, "--help"], 0);
        assert!(help.contains(&format!("\n  hirebridge {name}")), "{help}");
    }
}

#[test]
fn the_demo_shows_what_became_of_each_delivery_and_a_second_one_creates_nobody_again() {
    let folder = folder();
    let first = said(folder.path(), &["demo", "--once", "--data", "d"], 0);
    let second = said(folder.path(), &["demo", "--once", "--data", "d"], 0);
    let employees = |table: &str| -> Vec<String> {
        let cells = |line: &str| line.split("  ").filter(|cell| !cell.is_empty()).nth(3).map(str::to_owned);
        table.lines().skip(2).filter_map(cells).map(|cell| cell.trim().to_owned()).collect()
    };
    assert_eq!(employees(&first), ["1001", "1001", "1002", "1003", "-", "-"], "{first}");
    assert_eq!(employees(&second), employees(&first), "{second}");
    assert_eq!(second.matches("the same hire, not sent again").count(), 4, "{second}");
    assert_eq!(first.matches("resume sent to CVs").count(), 2, "{first}");
    for words in ["missing: hire_date", "did not arrive: department", "signature", "ignored"] {
        assert!(first.contains(words), "{first}");
    }
    assert!(!folder.path().join("hirebridge.db").exists(), "everything is in the folder it was given");
}

#[tokio::test]
async fn a_demo_that_was_killed_in_mid_send_shows_the_hire_adopted_when_it_is_started_again() {
    let folder = folder();
    let mut demo = hirebridge(folder.path());
    demo.args(["demo", "--data", "d", "--slow", "30s", "--listen", "127.0.0.1:0"]).stdout(Stdio::null());
    let mut demo = demo.spawn().expect("the program starts");
    eventually("Personio has the first hire", || async {
        let personio = fs::read_to_string(folder.path().join("d/personio.json")).ok()?;
        personio.contains("jane.doe@example.org").then_some(())
    })
    .await;
    demo.kill().expect("it can be killed");
    demo.wait().expect("it ends");
    let again = said(folder.path(), &["demo", "--once", "--data", "d"], 0);
    assert!(again.starts_with("The demo before this one ended in mid-send"), "{again}");
    assert!(again.contains("is created (adopted) now, employee 1001."), "{again}");
}

#[test]
fn made_secrets_are_long_and_never_the_same() {
    let folder = folder();
    let secret = said(folder.path(), &["secret"], 0);
    assert!(secret.trim().len() == 64 && secret.trim().bytes().all(|byte| byte.is_ascii_hexdigit()));
    assert_ne!(secret, said(folder.path(), &["secret"], 0));
    let key = said(folder.path(), &["secret", "--ledger-key"], 0);
    assert!(LedgerKey::parse(&key).is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_made_token_opens_the_api_once_its_block_is_in_the_configuration() {
    let (sim, folder) = (Sim::start(Options::default()).await.expect("the simulator starts"), folder());
    let made = said(folder.path(), &["token", "new", "nora", "--role", "sender"], 0);
    let token = made.lines().map(str::trim).find(|line| line.starts_with("hb_")).expect("a token");
    let (_, block) = made.split_once("[[operators]]").expect("a block");
    assert!(!block.contains(token), "only the hash goes into the configuration");
    let config = write_config(folder.path(), &sim.url(), |config| format!("{config}\n[[operators]]{block}"));
    let served = Served::start(folder.path(), &config).await;
    let http = reqwest::Client::builder().build().expect("a client");
    let answer = http.get(format!("{}/v1/hires", served.url)).bearer_auth(token).send().await;
    assert_eq!(answer.expect("an answer").status(), 200);

    let wrong = said(folder.path(), &["token", "new", "nora", "--role", "boss"], 2);
    assert!(wrong.contains("must be `viewer`, `sender` or `admin`"), "{wrong}");
}

#[test]
fn the_printed_contract_is_the_committed_one() {
    let printed = said(folder().path(), &["openapi"], 0);
    assert!(printed == include_str!("../../openapi.yaml"), "run: hirebridge openapi > openapi.yaml");
}

#[test]
fn a_preview_prints_the_plan_and_writes_nothing() {
    let folder = folder();
    write_config(folder.path(), "http://127.0.0.1:9", |config| config);
    fs::write(folder.path().join("delivery.json"), hire().to_string()).expect("writable");
    let names = || {
        let files = fs::read_dir(folder.path()).expect("readable");
        files.map(|file| file.expect("an entry").file_name()).collect::<std::collections::BTreeSet<_>>()
    };
    let before = names();
    let shown = said(folder.path(), &["preview", "delivery.json", "--source", "ashby"], 0);
    let preview: Value = serde_json::from_str(&shown).expect("JSON");
    assert_eq!(preview["plan"]["employee"]["email"], "mia@example.org");
    assert_eq!(preview["plan"]["hash"].as_str().map(str::len), Some(64));
    assert_eq!(names(), before);

    let mut piped = hirebridge(folder.path());
    piped.args(["preview", "-", "--source", "ashby"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut piped = piped.spawn().expect("the program starts");
    let mut stdin = piped.stdin.take().expect("a pipe");
    stdin.write_all(hire().to_string().as_bytes()).expect("it reads");
    drop(stdin);
    assert_eq!(text(&piped.wait_with_output().expect("it ends").stdout), shown);

    let unknown = said(folder.path(), &["preview", "delivery.json", "--source", "ashbi"], 1);
    assert!(unknown.contains("no source is called `ashbi`; the configuration has: ashby"), "{unknown}");
    let unreadable = said(folder.path(), &["preview", "nowhere.json", "--source", "ashby"], 1);
    assert!(unreadable.contains("nowhere.json cannot be read"), "{unreadable}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_fails_if_a_hire_would() {
    let (sim, folder) = (Sim::start(Options::default()).await.expect("the simulator starts"), folder());
    let url = sim.url();
    write_config(folder.path(), &url, |config| config);
    let fine = said(folder.path(), &["check"], 0);
    assert!(!fine.contains("PROBLEM") && fine.contains("can be read and obeyed"), "{fine}");
    let findings: Value = serde_json::from_str(&said(folder.path(), &["check", "--json"], 0)).expect("JSON");
    assert!(findings.as_array().is_some_and(|findings| {
        findings.iter().all(|one| one["verdict"] == "ok" || one["verdict"] == "not_checkable")
    }));

    sim.adjust(|manner| manner.rights.employees_read = false);
    let lacking = said(folder.path(), &["check"], 0);
    assert!(lacking.contains("warning") && lacking.contains("tick Employees > Read"), "{lacking}");
    sim.adjust(|manner| manner.rights.employees_read = true);

    for (from, to, words) in [
        ("\"sim-client-secret\"", "\"another-secret\"", "credential"),
        ("[[operators]]", "[mapping.fields]\ndynamic_77 = \"job.title\"\n[[operators]]", "dynamic_77"),
        ("/ledger.db", "/missing/ledger.db", "missing does not exist"),
    ] {
        write_config(folder.path(), &url, |config| config.replacen(from, to, 1));
        let found = said(folder.path(), &["check"], 1);
        let problem = found.lines().find(|line| line.starts_with("PROBLEM")).unwrap_or_default();
        assert!(problem.contains(words), "{found}");
        assert!(found.contains("remedy:") && !found.contains("another-secret"), "{found}");
    }
}

#[test]
fn serve_prints_what_to_register_at_each_ats() {
    let folder = folder();
    write_config(folder.path(), "http://127.0.0.1:9", |config| {
        config.replacen("[server]", "[server]\npublic_url = \"https://hires.example.com/\"", 1)
    });
    let mut serve = hirebridge(folder.path());
    let mut serve = serve.arg("serve").stdout(Stdio::piped()).spawn().expect("the program starts");
    let lines = BufReader::new(serve.stdout.take().expect("a pipe")).lines().map_while(Result::ok);
    let lines: Vec<_> = lines.take(4).collect();
    serve.kill().expect("it can be killed");
    serve.wait().expect("it ends");
    let [source, url, event, secret] = &lines[..] else { panic!("{lines:?}") };
    assert!(source.contains("ashby"), "{lines:?}");
    assert!(url.ends_with(" https://hires.example.com/webhooks/ashby"), "{lines:?}");
    assert!(event.contains("Candidate Hired"), "{lines:?}");
    assert!(secret.contains("ecret") && !secret.contains(SECRET), "{lines:?}");
}

#[tokio::test]
async fn nobody_reading_the_output_is_no_failure() {
    let folder = folder();
    for args in [&["demo", "--once"][..], &["secret"], &["openapi"], &["--help"]] {
        let (reader, writer) = pipe().expect("a pipe");
        drop(reader);
        let output = hirebridge(folder.path()).args(args).stdout(writer).output().expect("it runs");
        assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), String::new()), "{args:?}");
    }
    let port = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port").local_addr().expect("bound");
    write_config(folder.path(), "http://127.0.0.1:9", |config| {
        config.replacen("127.0.0.1:0", &port.to_string(), 1)
    });
    let (reader, writer) = pipe().expect("a pipe");
    drop(reader);
    let mut serve = hirebridge(folder.path());
    let mut serve = serve.arg("serve").stdout(writer).spawn().expect("the program starts");
    let http = reqwest::Client::builder().build().expect("a client");
    eventually("it serves", || async { http.get(format!("http://{port}/readyz")).send().await.ok() }).await;
    assert_eq!(serve.try_wait().expect("its state"), None, "it goes on");
    serve.kill().expect("it can be killed");
    serve.wait().expect("it ends");
}

#[test]
fn the_example_configuration_is_one() {
    let folder = folder();
    let path = folder.path().join("hirebridge.toml");
    let example = include_str!("../../deploy/hirebridge.example.toml");
    fs::write(&path, example).expect("writable");
    let files = example.lines().filter(|line| !line.starts_with('#'));
    let files = files.filter_map(|line| line.split_once("{ file = \"")?.1.split('"').next());
    for name in files {
        fs::write(folder.path().join(name), LedgerKey::generate()).expect("writable");
    }
    if let Err(errors) = Config::load(Some(&path), std::iter::empty()) {
        panic!("{errors}");
    }
}
