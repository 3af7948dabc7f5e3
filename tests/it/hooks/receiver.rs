//! A studio's service that is called by hooks: it checks signatures, answers as it is told, and can
//! fail in every way a service can.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse};
use anteroom::config::Config;
use anteroom::domain::hook::HookEvent;
use aws_lc_rs::hmac::{self, HMAC_SHA256, Key};
use serde_json::{Value, json};
use tokio::sync::{mpsc, watch};

use crate::fakes::serving::Serving;

/// What calls are signed with.
pub const SECRET: &str = "hook-test-secret-0123456789";

/// How it answers.
#[derive(Clone, Debug)]
pub enum Reply {
    /// 200 with this.
    Says(Value),
    /// 200 with these bytes.
    Raw(&'static str),
    /// This status with a yes in the body.
    Status(u16),
    /// A redirect to a yes.
    Redirect,
    /// A yes, and a mebibyte behind it.
    Huge,
    /// Yes, once it is let go ([`Receiver::let_go`]).
    Held,
    /// Never.
    Silent,
}

/// The service. Stopped when dropped.
pub struct Receiver {
    state: Arc<State>,
    arrivals: tokio::sync::Mutex<mpsc::UnboundedReceiver<Value>>,
    serving: Serving,
}

struct State {
    replies: Mutex<HashMap<HookEvent, Vec<Reply>>>,
    calls: Mutex<Vec<Value>>,
    forged: Mutex<Vec<String>>,
    arrived: mpsc::UnboundedSender<Value>,
    held: watch::Sender<bool>,
}

impl Receiver {
    /// A service that says yes to everything.
    pub async fn start() -> Self {
        let (arrived, arrivals) = mpsc::unbounded_channel();
        let state = State {
            replies: Mutex::default(),
            calls: Mutex::default(),
            forged: Mutex::default(),
            arrived,
            held: watch::Sender::new(true),
        };
        let state = Arc::new(state);
        let serving = Serving::start(Arc::clone(&state), answer).await;
        Self { state, arrivals: tokio::sync::Mutex::new(arrivals), serving }
    }

    /// Points the settings here, for these events.
    pub fn config(&self, config: &mut Config, events: &[HookEvent]) {
        config.hooks.url = format!("http://{}/hooks", self.serving.address);
        config.hooks.secret = SECRET.into();
        config.hooks.events = events.to_vec();
    }

    /// From now on an event is answered like this.
    pub fn reply(&self, event: HookEvent, reply: Reply) {
        self.replies(event, vec![reply]);
    }

    /// From now on an event is answered like these, one after the other; the last one stays.
    pub fn replies(&self, event: HookEvent, replies: Vec<Reply>) {
        self.state.replies.lock().unwrap().insert(event, replies);
    }

    /// Refuses an event from now on.
    pub fn refuse(&self, event: HookEvent, message: &str) {
        self.reply(event, Reply::Says(json!({"allow": false, "message": message})));
    }

    /// Every call of this event, good signatures only.
    pub fn calls(&self, event: HookEvent) -> Vec<Value> {
        let calls = self.state.calls.lock().unwrap();
        calls.iter().filter(|call| call["event"] == event.name()).cloned().collect()
    }

    /// Every call as text.
    pub fn said(&self) -> String {
        format!("{:?}", self.state.calls.lock().unwrap())
    }

    /// Calls that were not signed well.
    pub fn forged(&self) -> Vec<String> {
        self.state.forged.lock().unwrap().clone()
    }

    /// The next call that arrives, of whatever event; it must.
    pub async fn next(&self) -> Value {
        let next = async { self.arrivals.lock().await.recv().await };
        let next = tokio::time::timeout(std::time::Duration::from_secs(20), next).await;
        next.expect("a call arrives").expect("the receiver runs")
    }

    /// Answers what is held.
    pub fn let_go(&self) {
        self.state.held.send_replace(false);
    }

    /// Goes away: its port answers nobody.
    pub fn stop(&mut self) {
        self.serving.stop();
    }
}

async fn answer(request: HttpRequest, body: Bytes, state: Data<State>) -> HttpResponse {
    let yes = json!({"allow": true});
    if request.path() == "/yes" {
        return HttpResponse::Ok().json(yes);
    }
    if !is_signed(&request, &body) {
        state.forged.lock().unwrap().push(String::from_utf8_lossy(&body).into_owned());
        return HttpResponse::Unauthorized().finish();
    }
    let call: Value = serde_json::from_slice(&body).unwrap();
    state.calls.lock().unwrap().push(call.clone());
    let event = serde_json::from_value(call["event"].clone()).unwrap();
    let reply = {
        let mut replies = state.replies.lock().unwrap();
        match replies.get_mut(&event) {
            None => Reply::Says(yes.clone()),
            Some(replies) if replies.len() > 1 => replies.remove(0),
            Some(replies) => replies[0].clone(),
        }
    };
    let _ = state.arrived.send(call);
    match reply {
        Reply::Says(what) => HttpResponse::Ok().json(what),
        Reply::Raw(text) => HttpResponse::Ok().body(text),
        Reply::Status(status) => HttpResponse::build(status.try_into().unwrap()).json(yes),
        Reply::Redirect => HttpResponse::Found().insert_header(("Location", "/yes")).finish(),
        Reply::Huge => HttpResponse::Ok().body(format!("{yes}{}", " ".repeat(1 << 20))),
        Reply::Held => {
            state.held.subscribe().wait_for(|is_held| !is_held).await.unwrap();
            HttpResponse::Ok().json(yes)
        }
        Reply::Silent => std::future::pending().await,
    }
}

fn is_signed(request: &HttpRequest, body: &[u8]) -> bool {
    let header = |name| request.headers().get(name).and_then(|value| value.to_str().ok());
    let (Some(at), Some(signature)) =
        (header("x-anteroom-timestamp"), header("x-anteroom-signature"))
    else {
        return false;
    };
    let signed = [at.as_bytes(), b".", body].concat();
    let tag = hmac::sign(&Key::new(HMAC_SHA256, SECRET.as_bytes()), &signed);
    let hex = tag.as_ref().iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
    signature == hex && at.parse::<u64>().is_ok_and(|at| at >= 1_700_000_000)
}
