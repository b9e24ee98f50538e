//! What refuses the start: in words that name key and line, and never the value.

use std::fs;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hirebridge::ledger::{LedgerKey, Owner, sqlite::SqliteLedger};

use crate::command_line::{folder, said, write_config};
use crate::support::SECRET;

#[test]
fn a_wrong_configuration_refuses_the_start_with_key_and_line_and_never_the_value() {
    let secrets = format!("secrets = [\"{SECRET}\"]");
    let twice = format!("secrets = [\"{SECRET}\", \"{SECRET}\"]");
    let client_secret = "client_secret = \"sim-client-secret\"";
    // What is changed, into what; the key and the words that must be said.
    let cases = [
        (
            "client_id =",
            "base_ulr = \"hidden-value\"\nclient_id =",
            "personio.base_ulr",
            "Did you mean `base_url`?",
        ),
        (
            client_secret,
            "client_secret = \"${HIDDEN}-hidden-value\"",
            "personio.client_secret",
            "literal ${HIDDEN}",
        ),
        (client_secret, "client_secret = \"\"", "personio.client_secret", "is empty"),
        (
            client_secret,
            "client_secret = { file = \"nowhere\" }",
            "personio.client_secret",
            "nowhere, which cannot be read",
        ),
        (
            client_secret,
            "client_secret = { env = \"NOWHERE\" }",
            "personio.client_secret",
            "NOWHERE, which is not set",
        ),
        (&secrets, "secrets = [\"\"]", "sources.ashby.secrets[0]", "is empty"),
        (&secrets, "secrets = [\"short\"]", "sources.ashby.secrets[0]", "16"),
        (&secrets, &twice, "sources.ashby.secrets[1]", ""),
        ("http://127.0.0.1:9", "http://hidden-value.example.com", "personio.base_url", "https"),
        ("ledger.db", "ledger.db?synchronous=off", "ledger.url", "durable"),
        ("key = \"", "key = \"hidden-value", "ledger.key", "secret --ledger-key"),
        ("listen = \"127.0.0.1:0\"", "listen = \"hidden-value\"", "server.listen", ""),
        ("kind = \"ashby\"", "kind = \"asbhy\"", "sources.ashby.kind", "ashby"),
    ];
    for (from, to, key, words) in cases {
        let folder = folder();
        let mut line = 0;
        write_config(folder.path(), "http://127.0.0.1:9", |config| {
            let at = config.find(from).expect("the place is there");
            line = config[..at].lines().count().max(1) + usize::from(config[..at].ends_with('\n'));
            config.replacen(from, to, 1)
        });
        let said = said(folder.path(), &["serve"], 1);
        assert!(said.contains(&format!("hirebridge.toml:{line}: `{key}`")), "line {line}, {key}: {said}");
        assert!(said.contains(words), "{words}: {said}");
        for value in ["hidden-value", SECRET, "sim-client-secret"] {
            assert!(!said.contains(value), "{said}");
        }
    }
}

type Prepare<'a> = &'a dyn Fn(&Path);

#[test]
fn a_ledger_that_cannot_be_used_refuses_the_start_with_key_and_line() {
    let foreign = |path: &Path| {
        let other = rusqlite::Connection::open(path).expect("a file can be made");
        other.execute_batch("CREATE TABLE theirs (n)").expect("a table");
    };
    let newer = |path: &Path| {
        drop(ledger(path, [7; 32]));
        let db = rusqlite::Connection::open(path).expect("it is there");
        db.pragma_update(None, "user_version", 99).expect("written");
    };
    let cases: [(Prepare<'_>, &str, &str, &str); 7] = [
        (&|_| {}, "/sys/ledger.db", "ledger.url", "cannot be written by the user hirebridge runs as"),
        (&|_| {}, "missing/ledger.db", "ledger.url", "missing does not exist"),
        (&|_| {}, ":memory:", "ledger.url", "in memory"),
        (
            &|path| fs::write(path, "a shopping list, ".repeat(99)).expect("written"),
            "x.db",
            "ledger.url",
            "is not a hirebridge ledger",
        ),
        (&foreign, "x.db", "ledger.url", "is not a hirebridge ledger"),
        (&newer, "x.db", "ledger.url", "made by a newer hirebridge"),
        (&|path| drop(ledger(path, [8; 32])), "x.db", "ledger.key", "another key"),
    ];
    for (prepare, name, key, words) in cases {
        let folder = folder();
        prepare(&folder.path().join(name));
        let url = format!("sqlite:{}/ledger.db", folder.path().display());
        let mut line = 0;
        write_config(folder.path(), "http://127.0.0.1:9", |config| {
            let config = config.replacen(&url, &format!("sqlite:{name}"), 1);
            let name = key.strip_prefix("ledger.").expect("a key of the ledger");
            line = config.lines().position(|line| line.starts_with(name)).expect("it is set") + 1;
            config
        });
        let said = said(folder.path(), &["serve"], 1);
        assert!(said.contains(&format!("hirebridge.toml:{line}: `{key}`")), "line {line}: {said}");
        assert!(said.contains(words), "{words}: {said}");
        if words.contains("cannot be written") {
            assert!(said.contains("run `ch"), "the exact command: {said}");
        }
    }
}

fn ledger(path: &Path, key: [u8; 32]) -> SqliteLedger {
    let key = STANDARD.encode(key);
    let key = LedgerKey::parse(&key).expect("a key");
    SqliteLedger::open(path, &key, Owner::new()).expect("a new ledger")
}

#[test]
fn an_address_in_use_refuses_the_start() {
    let (folder, taken) = (folder(), std::net::TcpListener::bind("127.0.0.1:0").expect("a free port"));
    let address = taken.local_addr().expect("it is bound").to_string();
    write_config(folder.path(), "http://127.0.0.1:9", |config| config.replacen("127.0.0.1:0", &address, 1));
    let said = said(folder.path(), &["serve"], 1);
    assert!(said.contains("hirebridge.toml:3: `server.listen`") && said.contains(&address), "{said}");
}
