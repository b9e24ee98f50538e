//! The contract and the routes say the same.

use super::*;

/// Every operation of the contract: path and method, with the path's parameters filled in.
pub(super) fn operations() -> Vec<(String, Method)> {
    let api: Value = serde_json::to_value(routes().into_openapi()).expect("the contract serialises");
    let mut found = Vec::new();
    for (path, item) in api["paths"].as_object().expect("there are paths") {
        for method in item.as_object().expect("there are methods").keys() {
            let path = path.replace("{id}", "01942f5e-9c1b-7c3e-8a37-2f6f2a6f0c11");
            found.push((path, method.to_uppercase().parse().expect("a method")));
        }
    }
    found
}

#[test]
fn the_committed_contract_is_the_one_that_the_routes_make() {
    let committed = include_str!("../../../openapi.yaml");
    assert!(openapi() == committed, "the routes changed; update with: hirebridge openapi > openapi.yaml");
}

#[test]
fn every_route_is_described() {
    let api: Value = serde_json::to_value(routes().into_openapi()).expect("the contract serialises");
    for (path, item) in api["paths"].as_object().expect("there are paths") {
        for (method, operation) in item.as_object().expect("there are methods") {
            for field in ["summary", "description", "operationId"] {
                let text = operation[field].as_str().unwrap_or_default();
                assert!(!text.is_empty(), "{method} {path}: {field}");
            }
            for (status, response) in operation["responses"].as_object().expect("there are responses") {
                assert_ne!(response["description"], "", "{method} {path}: {status}");
            }
        }
    }
}
