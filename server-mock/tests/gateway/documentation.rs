//! The guide is true: what it lists exists, with the methods it says.

use crate::caller::Caller;

const GUIDE: &str = include_str!("../../../docs/gateway.md");

const WEBHOOKS: &str = include_str!("../../../docs/gateway-webhooks.md");

/// `GET /admin/health` and its kin, from the first column of the tables.
fn listed(prefix: &str) -> Vec<(String, String)> {
    listed_in(GUIDE, prefix)
}

fn listed_in(guide: &str, prefix: &str) -> Vec<(String, String)> {
    guide
        .lines()
        .filter_map(|line| line.strip_prefix("| `"))
        .filter_map(|line| line.split_once('`'))
        .filter_map(|(request, _)| request.split_once(' '))
        .filter(|(_, path)| path.starts_with(prefix))
        .map(|(method, path)| (method.into(), path.split('?').next().unwrap().into()))
        .collect()
}

#[tokio::test]
async fn every_admin_request_of_the_guide_is_answered() {
    let caller = Caller::new().await;
    let listed = listed("/admin/");
    assert_eq!(listed.len(), 44, "{listed:?}");
    for (method, path) in listed {
        let seen = caller.admin(&method, &path).send().await;
        assert!(
            ![404, 405].contains(&seen.status()),
            "{method} {path}: {}",
            seen.status()
        );
    }
}

#[tokio::test]
async fn every_data_request_of_the_guide_is_answered() {
    let caller = Caller::new().await;
    let listed = listed("/v1/");
    assert_eq!(listed.len(), 30, "{listed:?}");
    let body = serde_json::json!({"name": "N"});
    assert_eq!(caller.post("/v1/contacts", body).await.status(), 201);
    let job = serde_json::json!({"kind": "k"});
    assert_eq!(caller.post("/v1/jobs", job).await.status(), 202);
    let events = caller.get("/v1/events").await.json();
    let event = events["data"][0]["id"].as_str().unwrap();
    for (method, path) in listed {
        let path = path
            .replace("files/{id}", "files/gen-1-1")
            .replace("events/{id}", &format!("events/{event}"))
            // After what has not happened yet there is no stream that a test could read to its end.
            .replace("events/stream", "events/stream?after=9")
            .replace("projects/{id}", "projects/pj_000001")
            .replace("jobs/{id}", "jobs/jb_000001")
            .replace("{id}", "ct_000001")
            .replace("{n}", "3")
            .replace("{ms}", "0");
        let seen = caller.ask(&method, &path).send().await;
        // An upload has to be begun before there is one.
        assert!(
            path.starts_with("/v1/uploads/") || ![404, 405].contains(&seen.status()),
            "{method} {path}: {}",
            seen.status()
        );
    }
}

#[tokio::test]
async fn every_fault_of_the_guide_can_be_read() {
    let table = GUIDE.split("| Fault | On the wire |").nth(1).unwrap();
    let names: Vec<&str> = table
        .lines()
        .skip(2)
        .map_while(|line| line.strip_prefix("| "))
        .map(|line| line.split(" | ").next().unwrap())
        .flat_map(|cell| cell.split('`').skip(1).step_by(2))
        .filter(|name| {
            !name.starts_with(';') && !matches!(*name, "STATUS" | "false" | "x-should-retry")
        })
        .collect();
    assert_eq!(names.len(), 19, "{names:?}");
    for name in names {
        let fault = name.replace("MS", "1").replace('N', "1");
        assert!(
            fault.parse::<gatewright_server_mock::Fault>().is_ok(),
            "{fault}"
        );
    }
}

#[tokio::test]
async fn every_request_of_the_guide_to_webhooks_is_answered() {
    let caller = Caller::new().await;
    let admin = listed_in(WEBHOOKS, "/admin/");
    assert_eq!(admin.len(), 8);
    for (method, path) in admin {
        let seen = caller.admin(&method, &path).send().await;
        assert!(![404, 405].contains(&seen.status()), "{method} {path}");
    }
    let data = listed_in(WEBHOOKS, "/v1/");
    assert_eq!(data.len(), 15);
    for (method, path) in data {
        let seen = caller
            .ask(&method, &path.replace("{id}", "x_1"))
            .send()
            .await;
        let is_there = match seen.status() {
            404 => !seen.json()["detail"]
                .as_str()
                .unwrap()
                .contains("nothing at"),
            405 => false,
            _ => true,
        };
        assert!(is_there, "{method} {path}: {}", seen.status());
    }
}
