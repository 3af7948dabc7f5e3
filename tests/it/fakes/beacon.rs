//! A beacon that has nothing to say until it is told to speak.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use actix_web::{App, HttpResponse, HttpServer, web};

/// The beacon. Its thread ends with the test program.
pub struct Beacon {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    asked: usize,
    randomness: Option<String>,
}

impl Beacon {
    /// Starts it.
    pub fn start() -> Self {
        let state = Arc::new(Mutex::new(State::default()));
        let theirs = Arc::clone(&state);
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            let app = move || {
                let state = web::Data::from(Arc::clone(&theirs));
                App::new().app_data(state).route("/public/{round}", web::get().to(round))
            };
            let server = HttpServer::new(app).workers(1).disable_signals().listen(listener);
            actix_rt::System::new().block_on(server.unwrap().run()).unwrap();
        });
        Self { address, state }
    }

    /// Its address, with the place for a round.
    pub fn url(&self) -> String {
        format!("http://{}/public/{{round}}", self.address)
    }

    /// From now on it has this value.
    pub fn speak(&self, randomness: &str) {
        self.state.lock().unwrap().randomness = Some(randomness.to_owned());
    }

    /// Returns when it has been asked.
    pub async fn ask_once(&self) {
        while self.state.lock().unwrap().asked == 0 {
            actix_rt::task::yield_now().await;
        }
    }
}

async fn round(state: web::Data<Mutex<State>>, round: web::Path<u64>) -> HttpResponse {
    let mut state = state.lock().unwrap();
    state.asked += 1;
    match &state.randomness {
        Some(randomness) => {
            let round = round.into_inner();
            HttpResponse::Ok().json(serde_json::json!({"round": round, "randomness": randomness}))
        }
        None => HttpResponse::NotFound().finish(),
    }
}
