//! A real Prometheus reads what the server measures, and understands the rules and the dashboard.

use std::process::{Command, Stdio};
use std::time::Duration;

use reqwest::Url;
use serde_json::{Value, json};

use crate::debian::program;
use crate::harness::{Auth, TestServer, ask, free, try_ask};
use crate::running::Running;

const RULES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/prometheus/anteroom.rules.yml");
const DASHBOARD: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/grafana/anteroom.json");

struct Prometheus {
    _process: Running,
    url: String,
    folder: tempfile::TempDir,
}

impl Prometheus {
    /// Looks at `server` every second, with our rules.
    fn start(server: &TestServer) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let settings = folder.path().join("prometheus.yml");
        let job =
            json!({"job_name": "anteroom", "static_configs": [{"targets": [server.operators]}]});
        // JSON is YAML, too.
        let text = json!({
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": [RULES],
            "scrape_configs": [job],
        });
        std::fs::write(&settings, text.to_string()).unwrap();
        let checked = Command::new(program("prometheus", "bin/promtool"))
            .args(["check", "config"])
            .arg(&settings)
            .output()
            .unwrap();
        let words =
            String::from_utf8_lossy(&[checked.stdout, checked.stderr].concat()).into_owned();
        assert!(checked.status.success(), "{words}");
        let at = free();
        let log = std::fs::File::create(folder.path().join("log")).unwrap();
        let mut command = Command::new(program("prometheus", "bin/prometheus"));
        command
            .arg(format!("--config.file={}", settings.display()))
            .arg(format!("--storage.tsdb.path={}", folder.path().join("data").display()))
            .arg(format!("--web.listen-address={at}"))
            .stdout(Stdio::null())
            .stderr(log);
        let process = Running::start(&mut command);
        Self { _process: process, url: format!("http://{at}/api/v1"), folder }
    }

    async fn ask(&self, path: &str, query: &[(&str, &str)]) -> Value {
        let url = Url::parse_with_params(&format!("{}{path}", self.url), query).unwrap();
        let answer = ask("GET", url.as_str(), Auth::None, None).await;
        assert_eq!(answer.json["status"], "success", "{url}: {}", answer.text);
        answer.json["data"].clone()
    }

    /// What an expression is now.
    async fn query(&self, expression: &str) -> Vec<Value> {
        let data = self.ask("/query", &[("query", expression)]).await;
        data["result"].as_array().unwrap_or_else(|| panic!("{expression}: {data}")).clone()
    }

    /// Until it answers, has looked at the server three times and has tried every rule.
    async fn wait(&self) {
        for _ in 0..600 {
            let here = try_ask("GET", &format!("{}/rules", self.url), Auth::None, None).await;
            if here.is_some_and(|answer| answer.status == 200) && self.has_looked().await {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("{}", std::fs::read_to_string(self.folder.path().join("log")).unwrap());
    }

    async fn has_looked(&self) -> bool {
        let looks = self.query("count_over_time(ready[1m])").await;
        let looks = looks.first().and_then(|it| it["value"][1].as_str()?.parse::<u32>().ok());
        looks >= Some(3) && self.rules().await.iter().all(|rule| rule["health"] != "unknown")
    }

    async fn rules(&self) -> Vec<Value> {
        let groups = self.ask("/rules", &[]).await;
        let of = |group: &Value| group["rules"].as_array().cloned().unwrap_or_default();
        groups["groups"].as_array().unwrap().iter().flat_map(of).collect()
    }
}

/// Every expression below a value.
fn expressions(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            found.extend(members.get("expr").and_then(Value::as_str).map(str::to_owned));
            members.values().for_each(|member| expressions(member, found));
        }
        Value::Array(items) => items.iter().for_each(|item| expressions(item, found)),
        _ => {}
    }
}

#[actix_rt::test]
async fn a_real_prometheus_understands_page_rules_and_dashboard() {
    let server = TestServer::start(|_| ()).await;
    let signed_in =
        server.with_key("/v2/account/authenticate/device", json!({"id": "device-of-ada"})).await;
    assert_eq!(signed_in.status, 200, "{}", signed_in.text);
    let prometheus = Prometheus::start(&server);
    prometheus.wait().await;

    let rules = prometheus.rules().await;
    assert!(rules.len() > 20, "{rules:#?}");
    for rule in &rules {
        assert_eq!(rule["health"], "ok", "{rule:#}");
        assert_ne!(rule["state"], "firing", "nothing is wrong: {rule:#}");
    }

    let dashboard: Value =
        serde_json::from_str(&std::fs::read_to_string(DASHBOARD).unwrap()).unwrap();
    let mut panels = Vec::new();
    expressions(&dashboard, &mut panels);
    assert!(panels.len() > 40, "{}", panels.len());
    let mut empty = Vec::new();
    for panel in panels {
        let expression = panel.replace("$instance", ".+").replace("$__rate_interval", "1m");
        if prometheus.query(&expression).await.is_empty() {
            empty.push(expression);
        }
    }
    // What nobody did yet has no figures, nor has the loop's lag while the test's clock stands still.
    let absent = [
        "backup_newest",
        "identity_",
        "trace_spans",
        "audit_stream",
        "hooks_total",
        "login_queue_measured_rate",
        "login_queue_eta_error",
        "http_loop_lag",
    ];
    empty.retain(|it| !absent.iter().any(|of| it.contains(of)));
    assert!(empty.is_empty(), "{empty:#?}");
}
