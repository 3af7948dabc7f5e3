//! A small client of the operator API.

use anteroom::config::Config;
use serde_json::{Value, json};

use crate::harness::{Answer, Auth, TestServer};
use crate::pragma_client::{Tokens, operator};
use crate::pragma_office::{ask, office, social_id};

/// A server with an operator who may do everything.
pub struct Desk {
    pub server: TestServer,
    pub olga: Tokens,
}

impl Desk {
    pub async fn open(set: impl FnOnce(&mut Config)) -> Self {
        let server = office(set).await;
        let olga = operator(&server, "olga").await;
        Self { server, olga }
    }

    /// A call, whatever comes of it. `null`: without a body.
    pub async fn call(&self, method: &str, path: &str, body: Value) -> Answer {
        self.call_as(&self.olga, method, path, body).await
    }

    pub async fn call_as(&self, by: &Tokens, method: &str, path: &str, body: Value) -> Answer {
        let body = (!body.is_null()).then_some(body);
        crate::harness::ask(method, &self.url(path), Auth::Bearer(&by.social), body).await
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}/v1/operator{path}", self.server.operators)
    }

    /// A page that must be there.
    pub async fn get(&self, path: &str) -> Value {
        self.done("GET", path, Value::Null).await
    }

    /// A call that must be answered with 200, 201 or 204.
    pub async fn done(&self, method: &str, path: &str, body: Value) -> Value {
        let answer = self.call(method, path, body).await;
        assert!((200..300).contains(&answer.status), "{method} {path} {}", answer.text);
        answer.json
    }

    /// Another operator with just these permissions.
    pub async fn helper(&self, name: &str, permissions: Value) -> Tokens {
        let helper = operator(&self.server, name).await;
        let role = json!({"name": name, "permissions": permissions});
        let made = ask(&self.server, &self.olga, "RoleRpc.CreateRoleOperatorV1", role).await;
        let gives = json!({"pragmaSocialId": social_id(&helper), "roleId": made["role"]["roleId"]});
        ask(&self.server, &self.olga, "RoleRpc.AddAccountToRoleOperatorV1", gives).await;
        helper
    }

    /// The names of what operators did by their API, the oldest first: what is on record so far, but for
    /// Pragma's requests. Stops the server.
    pub fn on_record(self) -> Vec<String> {
        let folder = self.server.stop().unwrap();
        let files = std::fs::read_dir(folder.path().join("audit")).unwrap();
        let mut paths: Vec<_> = files.map(|file| file.unwrap().path()).collect();
        paths.sort();
        let text: String =
            paths.iter().map(|path| std::fs::read_to_string(path).unwrap()).collect();
        let record = |line: &str| {
            let record: Value = serde_json::from_str(line).unwrap();
            assert_ne!(record["who"], "server", "{line}");
            let what = &record["what"];
            what["name"].as_str().or(what["kind"].as_str()).unwrap().to_owned()
        };
        let names = text.lines().filter(|line| line.contains("\"operator\"")).map(record);
        names.filter(|name| !name.contains("Rpc.")).collect()
    }
}

/// Refused with this status and this word, and a text.
#[track_caller]
pub fn refused(answer: &Answer, status: u16, why: &str) {
    let got = (answer.status, answer.json["why"].as_str());
    assert_eq!(got, (status, Some(why)), "{}", answer.text);
    assert!(!answer.str("/message").is_empty());
}
