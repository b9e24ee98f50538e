//! Whatever a candidate calls themselves, it stays text.

use serde_json::json;

use crate::browser::{Browser, DESK};
use crate::support::ashby::{candidate_hire, with_field};
use crate::support::{ADMIN, text};
use crate::{house, open};

/// First name and last name, department, and what a custom field says.
const HOSTILE: [(&str, &str, &str); 5] = [
    (
        "<img/src=x/onerror=alert(1)> <script>alert(2)</script>",
        "<svg/onload=alert(3)>",
        "\"><iframe src=javascript:alert(4)>",
    ),
    (
        "javascript:alert(5) {{constructor.constructor('alert(6)')()}}",
        "${alert(7)}",
        "data:text/html,<b>x</b>",
    ),
    ("=cmd|'/C calc'!A0 +1+1", "@SUM(1)", "-2+3"),
    ("\u{202e}txet desrever \u{2066}open", "\u{202e}gnireenignE", "\u{200f}\u{202b}abc"),
    ("👩‍💻🎉 Ζωή Z̷̢͎a̷l̶g̵o̸", "🏳️‍🌈", "صباح الخير"),
];

#[tokio::test]
async fn hostile_names_stay_text_on_every_part_of_the_page() {
    let house = house().await;
    let Some(browser) = Browser::open("hostile_names_stay_text", &house, DESK).await else { return };
    let mut ids = Vec::new();
    for (n, (name, department, custom)) in HOSTILE.iter().enumerate() {
        let body = candidate_hire(&format!("h-{n}"), name, &format!("h{n}@example.org"));
        let body = with_field(with_field(body, "Department", department), custom, name);
        ids.push(house.deliver(&body).await.hire());
    }
    browser.sign_in(ADMIN).await;
    browser.until(&format!("document.querySelectorAll('.row').length === {}", HOSTILE.len())).await;
    is_inert(&browser).await;
    browser.picture("hostile-list").await;
    for id in &ids {
        browser.go("#/").await;
        open(&browser, id).await;
        let hire = house.hire(id).await;
        let planned = &hire["plan"]["employee"];
        // As it is, to the letter, in the heading and in its field.
        let heading = browser.script("return document.querySelector('h1').textContent").await;
        let told = &hire["facts"]["candidate"];
        let words = |key: &str| planned[key].as_str().or(told[key].as_str());
        let name: Vec<_> = ["first_name", "last_name"].into_iter().filter_map(words).collect();
        let name = if name.is_empty() { vec![text(&told["full_name"])] } else { name };
        assert_eq!(heading, name.join(" "));
        browser.find("#field-department").await;
        let department = browser.script("return document.querySelector('#field-department').value").await;
        assert_eq!(department, text(&planned["department"]));
        browser.press("Show all").await;
        is_inert(&browser).await;
        if hire["plan"]["sendable"] == true {
            browser.press("Review and send").await;
            browser.find("dialog").await;
            is_inert(&browser).await;
            browser.press("Back").await;
        }
    }
    browser.picture("hostile-hire").await;
    browser.close().await;
}

/// Nothing of what was told has become an element, a link, or a direction for its neighbours.
async fn is_inert(browser: &Browser) {
    let foreign = "return [...document.querySelectorAll('script, iframe, object, embed, svg, img, [onerror], [onload]')] \
        .filter((one) => !one.matches('.brand img, head script[src=\"app.js\"]')).map((one) => one.outerHTML)";
    assert_eq!(browser.script(foreign).await, json!([]));
    let links = "return [...document.querySelectorAll('a')].map((one) => one.href) \
        .filter((href) => !href.startsWith(location.origin + '/console/') && !href.startsWith('https://acme.app.personio.com/'))";
    assert_eq!(browser.script(links).await, json!([]));
    let turned = "return [...document.querySelectorAll('bdi')].filter((one) => getComputedStyle(one).unicodeBidi !== 'isolate').length";
    assert_eq!(browser.script(turned).await, 0);
    // Text with such characters is in an element that keeps its direction to itself.
    let loose = "const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT); const loose = []; \
        while (walk.nextNode()) if (/[\\u200f\\u202a-\\u202e\\u2066-\\u2069]/.test(walk.currentNode.data) \
            && !walk.currentNode.parentElement.closest('bdi')) loose.push(walk.currentNode.data); return loose";
    assert_eq!(browser.script(loose).await, json!([]));
}
