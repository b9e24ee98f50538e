//! Categories and uploads.

use super::*;

const DOCUMENTS: &str = "/v1/company/documents";
const PDF: &[u8] = b"%PDF-1.7 \x00\xff";

/// A part: its name, the name of its file if it is one, its content.
type Part<'p> = (&'p str, Option<&'p str>, &'p [u8]);

async fn upload(desk: &Desk, parts: &[Part<'_>]) -> Answered {
    let mut body = Vec::new();
    for (name, file_name, content) in parts {
        let file_name = file_name.map_or_else(String::new, |file| format!("; filename=\"{file}\""));
        let head = format!("--seam\r\nContent-Disposition: form-data; name=\"{name}\"{file_name}\r\n\r\n");
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--seam--\r\n");
    let request = desk.request(Method::POST, DOCUMENTS);
    answered(request.header(CONTENT_TYPE, "multipart/form-data; boundary=seam").body(body)).await
}

fn contract<'p>(employee: &'p str, category: &'p str, file: Part<'p>) -> [Part<'p>; 4] {
    let text = |name, value: &'p str| (name, None, value.as_bytes());
    [text("title", "Contract"), text("employee_id", employee), text("category_id", category), file]
}

#[tokio::test]
async fn categories_are_listed_with_their_ids() {
    let desk = Desk::open().await;
    let listed = desk.get("/v1/company/document-categories").await;
    assert_eq!(listed.status, 200);
    let category =
        |id: u64, name: &str| json!({"id": id, "type": "DocumentCategory", "attributes": {"name": name}});
    let all = [category(1, "Contracts"), category(2, "CVs"), category(3, "Other")];
    assert_eq!(listed.body, json!({"success": true, "data": all}));
}

#[tokio::test]
async fn a_document_is_stored_byte_for_byte() {
    let desk = Desk::open().await;
    desk.create(mia()).await;
    let mut parts = contract("1001", "2", ("file", Some("Vertrag.PDF"), PDF)).to_vec();
    parts.extend([("comment", None, "signed".as_bytes()), ("date", None, "2027-01-31".as_bytes())]);
    let uploaded = upload(&desk, &parts).await;

    assert_eq!(uploaded.status, 201);
    let data = &uploaded.body["data"];
    assert_eq!((&data["id"], &data["type"]), (&json!(1), &json!("Document")));
    let attributes = &data["attributes"];
    assert_eq!(attributes["title"], json!("Contract"));
    assert_eq!((&attributes["date"], &attributes["comment"]), (&json!("2027-01-31"), &json!("signed")));
    assert_eq!(attributes["employee"]["attributes"]["email"]["value"], mia()["email"]);
    assert_eq!(attributes["category"]["attributes"]["name"], json!("CVs"));

    let stored = &desk.sim.documents()[0];
    assert_eq!((stored.employee_id, stored.category_id), (1001, 2));
    assert_eq!((stored.file_name.as_str(), &stored.content[..]), ("Vertrag.PDF", PDF));
    assert!(desk.sim.violations().is_empty(), "{:?}", desk.sim.violations());
}

#[tokio::test]
async fn an_unknown_employee_or_category_is_not_found() {
    let desk = Desk::open().await;
    desk.create(mia()).await;
    for (employee, category, message) in [
        ("1001", "9", "No query results for model [DocumentCategory] 9"),
        ("77", "1", "No query results for model [Employee] 77"),
    ] {
        let file = ("file", Some("cv.pdf"), PDF);
        let missed = upload(&desk, &contract(employee, category, file)).await;
        assert_eq!((missed.status, missed.body), (404, refusal(0, message)));
    }
    assert!(desk.sim.documents().is_empty() && desk.sim.violations().is_empty());
}

#[tokio::test]
async fn a_wrong_or_too_large_file_is_refused() {
    let desk = Desk::open().await;
    desk.create(mia()).await;
    let large = vec![0; 30 * 1024 * 1024 + 1];
    for (file, start) in [
        (("file", Some("cv.exe"), PDF), "The file must be a file of type: pdf, docx, "),
        (("file", Some("cv.pdf"), &large[..]), "The file may not be greater than 30720 kilobytes."),
    ] {
        let refused = upload(&desk, &contract("1001", "1", file)).await;
        assert_eq!((refused.status, &refused.body["success"]), (422, &json!(false)));
        let error = &refused.body["error"];
        assert_eq!((&error["message"], &error["code"]), (&json!("The given data was invalid."), &json!(0)));
        assert!(error["error_data"]["file"][0].as_str().is_some_and(|text| text.starts_with(start)));
    }
    assert!(desk.sim.documents().is_empty() && desk.sim.violations().is_empty());
}

#[tokio::test]
async fn parts_are_checked_by_name_and_type() {
    let desk = Desk::open().await;
    let text = |name, value: &'static str| (name, None, value.as_bytes());
    let parts = [
        text("name", "Contract"),
        text("employee_id", "Mia"),
        text("date", "31.01.2027"),
        text("date", "2027-01-31"),
        text("file", "no file name"),
    ];
    assert_eq!(upload(&desk, &parts).await.status, 422);
    let mut told = desk.sim.violations();
    told.sort();
    let expected = [
        "category_id is required",
        "date does not match the format Y-m-d",
        "date is there twice",
        "employee_id must be an integer",
        "file is required, with a file name",
        "name is unknown",
        "title is required",
    ];
    assert_eq!(told, expected.map(|what| format!("request 2 (upload_document): the part {what}")));
    assert_eq!(desk.send(Method::POST, DOCUMENTS, &json!({"title": "Contract"})).await.status, 422);
    assert!(desk.sim.violations()[7].ends_with("the body must be multipart/form-data"));
}

#[tokio::test]
async fn a_file_name_that_nobody_should_send_is_a_violation() {
    let desk = Desk::open().await;
    desk.create(mia()).await;
    let long = format!("{}.pdf", "x".repeat(252));
    for (name, content, what) in [
        ("../cv.pdf", PDF, "has a path in its name"),
        ("cv\u{202e}fdp.pdf", PDF, "has characters in its name that steer"),
        (long.as_str(), PDF, "has a name of more than 255 characters"),
        ("cv.pdf\"; filename*=\"utf-8''cv.pdf", PDF, "has a name in the coded form, which forms do not know"),
        ("cv.pdf", b"", "is empty"),
    ] {
        let refused = upload(&desk, &contract("1001", "1", ("file", Some(name), content))).await;
        assert_eq!(refused.status, 422, "{name}");
        let told = desk.sim.violations().pop().unwrap_or_default();
        assert!(told.ends_with(&format!("the part file {what}")), "{told}");
    }
    let mut parts = contract("1001", "1", ("file", Some("Müller.pdf"), PDF));
    assert_eq!(upload(&desk, &parts).await.status, 201);
    parts[0] = ("title", Some("title.txt"), b"Contract");
    assert_eq!(upload(&desk, &parts).await.status, 422);
}

#[tokio::test]
async fn a_content_type_without_boundary_is_a_violation() {
    let desk = Desk::open().await;
    let request = desk.request(Method::POST, DOCUMENTS).header(CONTENT_TYPE, "multipart/form-data");
    assert_eq!(answered(request.body("--seam--")).await.status, 422);
    assert!(desk.sim.violations()[0].contains("the multipart body cannot be read"));
}
