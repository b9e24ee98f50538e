//! A browser without a window, by WebDriver: Debian's Chromium and its driver, on the page of a test's house.
//!
//! It waits for what the page shows, and when it is closed nothing on it may have gone wrong: no error in its console, no
//! breach of the page's content security policy, no request to another host.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tempfile::TempDir;
use thirtyfour::prelude::*;

use crate::support::House;
use crate::support::process::eventually;

/// What a test looks through.
#[derive(Clone, Copy)]
pub(crate) struct Look {
    /// Width and height of the window.
    pub(crate) size: (u32, u32),
    /// Whether the system is dark.
    pub(crate) dark: bool,
    /// The browser's language.
    pub(crate) language: &'static str,
}

/// A desk: wide, light and English.
pub(crate) const DESK: Look = Look { size: (1280, 900), dark: false, language: "en" };

/// A browser that is open.
pub(crate) struct Browser {
    /// There until it is closed.
    driver: Option<WebDriver>,
    _server: Server,
    base: String,
    look: Look,
    /// Answers that the test brought about, as the console names them.
    expected: Vec<&'static str>,
}

/// The driver's process.
struct Server {
    child: Child,
    _folder: TempDir,
}

/// Notes every breach of the policy, from before the page's first script on.
const WATCH: &str = "window.breaches = []; document.addEventListener('securitypolicyviolation', \
    (event) => window.breaches.push(`${event.effectiveDirective} ${event.blockedURI}`));";

/// What must hold of every page for those who do not see it, or have no mouse.
const ACCESSIBILITY: &str = include_str!("accessibility.js");

impl Browser {
    /// Opens the page; `None`, and says so, if no browser is installed. `test` is who asks.
    pub(crate) async fn open(test: &str, house: &House, look: Look) -> Option<Self> {
        if !installed() {
            let why = format!("SKIPPED {test}: no browser here (apt-get install chromium chromium-driver)\n");
            // Not `eprintln!`, which a passing test keeps to itself.
            std::io::stderr().write_all(why.as_bytes()).expect("standard error can be written");
            return None;
        }
        let (server, port) = Server::start();
        let driver = WebDriver::new(format!("http://127.0.0.1:{port}"), capabilities(look)).await;
        let driver = driver.expect("the browser starts");
        let cdp = driver.cdp();
        let (width, height) = look.size;
        let metrics = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        let scheme = if look.dark { "dark" } else { "light" };
        let media = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        for (command, parameters) in [
            ("Emulation.setDeviceMetricsOverride", metrics),
            ("Emulation.setEmulatedMedia", media),
            ("Page.addScriptToEvaluateOnNewDocument", json!({"source": WATCH})),
        ] {
            cdp.send_raw(command, parameters).await.expect("the browser obeys");
        }
        let base = house.url("");
        // Whoever is not signed in is told so by this answer.
        let expected =
            vec!["/v1/session - Failed to load resource: the server responded with a status of 401"];
        let browser = Self { driver: Some(driver), _server: server, base, look, expected };
        browser.go("").await;
        Some(browser)
    }

    fn driver(&self) -> &WebDriver {
        self.driver.as_ref().expect("it is open")
    }

    /// Goes to a part of the page.
    pub(crate) async fn go(&self, part: &str) {
        self.driver().goto(format!("{}/console/{part}", self.base)).await.expect("the page opens");
    }

    /// What a script returns.
    pub(crate) async fn script(&self, script: &str) -> Value {
        let returned = self.driver().execute(script, Vec::new()).await;
        returned.unwrap_or_else(|error| panic!("{script}: {error}")).json().clone()
    }

    /// Waits until an expression holds on the page.
    pub(crate) async fn until(&self, holds: &str) {
        let script = format!("return Boolean({holds})");
        eventually(holds, || async { self.script(&script).await.as_bool().filter(|holds| *holds) }).await;
    }

    /// Waits for an element, by its selector.
    pub(crate) async fn find(&self, selector: &str) -> WebElement {
        self.until(&format!("document.querySelector({})", json!(selector))).await;
        self.driver().find(By::Css(selector)).await.unwrap_or_else(|error| panic!("{selector}: {error}"))
    }

    /// Waits for an element, and clicks on it.
    pub(crate) async fn click(&self, selector: &str) {
        self.find(selector).await.click().await.unwrap_or_else(|error| panic!("{selector}: {error}"));
    }

    /// Clicks on the button, the link or the summary with these words.
    pub(crate) async fn press(&self, words: &str) {
        let script = "return [...document.querySelectorAll('button, a, summary')] \
            .find((one) => one.checkVisibility() && one.innerText.trim().startsWith(WORDS))";
        let script = script.replace("WORDS", &json!(words).to_string());
        let find = || async { self.driver().execute(&script, Vec::new()).await.ok()?.element().ok() };
        let element = eventually(words, find).await;
        element.click().await.unwrap_or_else(|error| panic!("{words}: {error}"));
    }

    /// Types into a field, in place of what is there, and goes on to the next.
    pub(crate) async fn fill(&self, selector: &str, text: &str) {
        let field = self.find(selector).await;
        field.send_keys(Key::Control + "a").await.expect("it is a field");
        field.send_keys(Key::Delete + text).await.expect("it takes text");
        self.keys(&[Key::Tab]).await;
    }

    /// Presses keys, wherever the focus is.
    pub(crate) async fn keys(&self, keys: &[Key]) {
        let mut chain = self.driver().action_chain();
        for key in keys {
            chain = chain.send_keys(key.value().to_string());
        }
        chain.perform().await.expect("keys can be pressed");
    }

    /// Types text, wherever the focus is.
    pub(crate) async fn type_text(&self, text: &str) {
        self.driver().action_chain().send_keys(text).perform().await.expect("keys can be pressed");
    }

    /// The text that people see of an element.
    pub(crate) async fn text(&self, selector: &str) -> String {
        self.find(selector).await;
        let script = format!("return document.querySelector({}).innerText", json!(selector));
        self.script(&script).await.as_str().expect("text").to_owned()
    }

    /// Waits until people can read this somewhere on the page.
    pub(crate) async fn reads(&self, words: &str) {
        self.until(&format!("document.body.innerText.includes({})", json!(words))).await;
    }

    /// Signs in with a token.
    pub(crate) async fn sign_in(&self, token: &str) {
        self.find("#token").await.send_keys(token).await.expect("it takes text");
        self.keys(&[Key::Enter]).await;
        self.find("nav").await;
    }

    /// An answer that the test brings about on purpose: the console may name it.
    pub(crate) fn expect(&mut self, answer: &'static str) {
        self.expected.push(answer);
    }

    /// Keeps a picture of the page as it is, all its length, and holds what is on it against the rules of
    /// accessibility. Pictures are kept in `target/screenshots`.
    pub(crate) async fn picture(&self, name: &str) {
        let faults = self.script(ACCESSIBILITY).await;
        assert_eq!(faults, json!([]), "{name}");
        let (width, height) = self.look.size;
        let sizes = self.script("return [document.documentElement.scrollWidth, innerWidth]").await;
        assert!(sizes[0].as_u64() <= sizes[1].as_u64(), "{name} is too wide: {sizes}");
        // A dialog lies over what can be seen; else all the page's length is kept.
        let script = "return document.querySelector('dialog') ? 0 : document.documentElement.scrollHeight";
        let length = self.script(script).await.as_u64().unwrap_or_default();
        let wish = if length == 0 {
            json!({"format": "png"})
        } else {
            let height = length.clamp(u64::from(height), 2_400);
            let clip = json!({"x": 0, "y": 0, "width": width, "height": height, "scale": 1});
            json!({"format": "png", "captureBeyondViewport": true, "clip": clip})
        };
        let taken = self.driver().cdp().send_raw("Page.captureScreenshot", wish).await.expect("a picture");
        let folder = folder();
        std::fs::create_dir_all(&folder).expect("the folder can be made");
        let bytes = STANDARD.decode(taken["data"].as_str().expect("text")).expect("Base64");
        std::fs::write(folder.join(format!("{name}.png")), bytes).expect("writable");
    }

    /// Closes it. Nothing may have gone wrong on the page.
    pub(crate) async fn close(mut self) {
        assert_eq!(self.script("return window.breaches").await, json!([]), "the policy was broken");
        let log = self.driver().browser_log().await.expect("there is a log");
        let errors: Vec<_> = log
            .iter()
            .filter(|entry| ["SEVERE", "WARNING"].contains(&entry.level.as_str()))
            .filter(|entry| !self.expected.iter().any(|one| entry.message.contains(one)))
            .map(|entry| &entry.message)
            .collect();
        assert!(errors.is_empty(), "{errors:#?}");
        let elsewhere: Vec<_> =
            self.requests().await.into_iter().filter(|url| !url.starts_with(&self.base)).collect();
        assert!(elsewhere.is_empty(), "{elsewhere:#?}");
        let driver = self.driver.take().expect("it is open");
        driver.quit().await.expect("it ends");
    }

    /// The URLs of all that the page asked for.
    async fn requests(&self) -> Vec<String> {
        let log = self.driver().get_log("performance").await.expect("there is a log");
        let events = log.iter().filter_map(|entry| serde_json::from_str::<Value>(&entry.message).ok());
        let sent = events.filter(|event| event["message"]["method"] == "Network.requestWillBeSent");
        let url = |event: Value| event["message"]["params"]["request"]["url"].as_str().map(str::to_owned);
        // What the page makes itself (a file to save), and the empty page before it.
        let own = |url: &String| !url.starts_with("blob:") && !url.starts_with("data:");
        sent.filter_map(url).filter(own).collect()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // A test has failed: the process is killed, and nobody waits for its good-bye.
        if let Some(driver) = self.driver.take() {
            drop(driver.leak());
        }
    }
}

/// Where pictures are kept.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("target/screenshots")
}

/// The programs, by the names that Debian gives them.
fn installed() -> bool {
    ["/usr/bin/chromium", "/usr/bin/chromedriver"].iter().all(|program| Path::new(program).exists())
}

fn capabilities(look: Look) -> Capabilities {
    let language = look.language;
    let mut arguments = vec![
        "--headless=new".to_owned(),
        "--disable-dev-shm-usage".to_owned(),
        "--disable-background-networking".to_owned(),
        "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1".to_owned(),
        format!("--lang={language}"),
        format!("--accept-lang={language}"),
    ];
    // The sandbox refuses to work for root, as whom tests run in a container.
    if rustix::process::geteuid().is_root() {
        arguments.push("--no-sandbox".to_owned());
    }
    let wishes = json!({
        "browserName": "chrome",
        // A dialog of the browser's would be an attack that worked: the next command fails then.
        "unhandledPromptBehavior": "ignore",
        "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
        "goog:chromeOptions": {"binary": "/usr/bin/chromium", "args": arguments},
    });
    wishes.as_object().expect("an object").clone().into()
}

impl Server {
    /// Starts the driver on a free port, with a folder of its own for all it leaves behind.
    fn start() -> (Self, u16) {
        let folder = TempDir::new().expect("a folder can be made");
        let mut child = Command::new("/usr/bin/chromedriver")
            .arg("--port=0")
            .env("TMPDIR", folder.path())
            .env("HOME", folder.path())
            .process_group(0)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the driver starts");
        let mut lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        let port = lines.find_map(|line| {
            let line = line.expect("text");
            let (_, port) = line.split_once("successfully on port ")?;
            port.trim_end_matches('.').parse().ok()
        });
        let port = port.expect("it says its port");
        // It may go on writing without being held up.
        std::thread::spawn(move || lines.for_each(drop));
        (Self { child, _folder: folder }, port)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Its own group: the browser as well, if a test failed before it was closed.
        let group = format!("-{}", self.child.id());
        let ended = Command::new("kill").args(["-KILL", "--", &group]).output();
        if ended.is_ok() {
            // A driver that is gone already is as well.
            let _ = self.child.wait();
        }
    }
}
